//! `connector send`: packets as files, or one built from its fields.

use std::path::{Path, PathBuf};

use connector::compose::{Addressee, Draft, File, compose};
use connector::config::Config;
use connector::text::Text;
use connector::{Submission, SubmitFault};
use domain::dispatch::Rank;
use domain::ids::Code;
use domain::packet::{DocumentType, Limits, Packet, Priority, SignerInfo, WrittenDate};
use trust::Time;

use super::delivery::{Parcel, Waiting, deliver};
use super::purpose::Purpose;
use super::summary::Summary;
use super::{CommandFault, Ending, file_fault};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(help = Text::HelpPackets.with(&[]), conflicts_with = "to")]
    packets: Vec<PathBuf>,
    #[arg(help = Text::HelpTo.with(&[]), long)]
    to: Vec<String>,
    #[arg(help = Text::HelpSubject.with(&[]), long, requires = "to")]
    subject: Option<String>,
    #[arg(help = Text::HelpNumber.with(&[]), long, requires = "to")]
    number: Option<String>,
    #[arg(help = Text::HelpNotation.with(&[]), long, requires = "to")]
    notation: Option<String>,
    #[arg(help = Text::HelpType.with(&[]), long = "type", requires = "to")]
    document_type: Option<String>,
    #[arg(help = Text::HelpSigner.with(&[]), long, requires = "to", default_value = "")]
    signer: String,
    #[arg(help = Text::HelpPosition.with(&[]), long, requires = "to")]
    position: Option<String>,
    #[arg(help = Text::HelpDate.with(&[]), long, requires = "to")]
    date: Option<String>,
    #[arg(help = Text::HelpAttach.with(&[]), long, requires = "to")]
    attach: Vec<PathBuf>,
    #[arg(help = Text::HelpPriority.with(&[]), long, default_value = "0")]
    priority: String,
    #[command(flatten)]
    purpose: Purpose,
    #[arg(help = Text::HelpDryRun.with(&[]), long)]
    dry_run: bool,
    #[arg(help = Text::HelpOut.with(&[]), long, requires = "dry_run", value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(config: Config, arguments: Arguments) -> Result<Ending, CommandFault> {
    let parcels = if arguments.to.is_empty() {
        arguments
            .packets
            .iter()
            .map(|path| as_it_is(path, &config))
            .collect::<Result<Vec<_>, _>>()?
    } else {
        vec![built(&arguments, &config)?]
    };
    if parcels.is_empty() {
        return Err(CommandFault::Told(Text::FaultNothing.both(&[])));
    }
    if arguments.dry_run {
        return show(&parcels, &arguments, &config);
    }
    deliver(config, parcels, arguments.waiting).await
}

/// What would be sent, without sending it.
fn show(parcels: &[Parcel], arguments: &Arguments, config: &Config) -> Result<Ending, CommandFault> {
    let limits = limits(config);
    let mut ending = Ending::Done;
    for parcel in parcels {
        let summary = Summary::of(&parcel.submission.bytes, &limits);
        summary.tell(&parcel.name, arguments.waiting.form());
        ending = ending.max(summary.ending());
    }
    if let Some(path) = &arguments.out {
        let [parcel] = parcels else {
            return Err(CommandFault::Told(Text::FaultOnePacket.both(&[])));
        };
        std::fs::write(path, &parcel.submission.bytes).map_err(file_fault(path))?;
    }
    Ok(ending)
}

fn limits(config: &Config) -> Limits {
    let mut limits = Limits::default();
    limits.xml.bytes_max = config.limits.packet_bytes_max;
    limits
}

/// A packet from a file. It is opened for its priority only; whether it is good is for the gateway to say.
fn as_it_is(path: &Path, config: &Config) -> Result<Parcel, CommandFault> {
    let bytes = std::fs::read(path).map_err(file_fault(path))?;
    let rank = match Packet::open(&bytes, &limits(config)) {
        Ok(Packet::Document(document)) => Rank::of_priority(document.other.priority),
        Ok(Packet::Status(_)) | Err(_) => Rank::Normal,
    };
    Ok(Parcel {
        name: path.display().to_string(),
        submission: Submission { bytes, rank },
    })
}

fn built(arguments: &Arguments, config: &Config) -> Result<Parcel, CommandFault> {
    let agency = config.agency.as_ref().ok_or(SubmitFault::NoAgency)?;
    let wrong = |what: &str| CommandFault::Told(Text::FaultArgument.both(&[("argument", what)]));
    let priority = Priority::parse(&arguments.priority).ok_or_else(|| wrong("--priority"))?;
    let to = arguments.to.iter().map(|code| {
        Code::parse(code)
            .map(|code| Addressee { code, name: None })
            .map_err(|_| wrong("--to"))
    });
    let document_type = match arguments
        .document_type
        .as_deref()
        .map(|text| text.split_once('='))
    {
        Some(Some((code, name))) => DocumentType {
            code: code.to_owned(),
            detail: None,
            name: name.to_owned(),
        },
        Some(None) => return Err(wrong("--type")),
        None => DocumentType::default(),
    };
    let mut draft = Draft {
        to: to.collect::<Result<_, _>>()?,
        number: arguments.number.clone().unwrap_or_default(),
        notation: arguments.notation.clone().unwrap_or_default(),
        document_type,
        subject: arguments.subject.clone().unwrap_or_default(),
        signer: SignerInfo {
            competence: None,
            position: arguments.position.clone(),
            full_name: arguments.signer.clone(),
        },
        date: arguments.date.clone().map(WrittenDate),
        document_id: None,
        priority,
        business: arguments.purpose.business(),
        files: arguments
            .attach
            .iter()
            .map(|path| file(path))
            .collect::<Result<_, _>>()?,
    };
    arguments.purpose.name_target(&mut draft);
    let name = format!("{}/{}", draft.number, draft.notation);
    let bytes = compose(agency, draft, now())?;
    Ok(Parcel {
        name,
        submission: Submission {
            bytes,
            rank: Rank::of_priority(priority),
        },
    })
}

fn file(path: &Path) -> Result<File, CommandFault> {
    let bytes = std::fs::read(path).map_err(file_fault(path))?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(File { name, bytes })
}

fn now() -> Time {
    connector::now()
}
