//! `connector send`: packets as files, or one built from its fields.

use std::path::{Path, PathBuf};
use std::time::Duration;

use connector::compose::{Addressee, Draft, File, compose};
use connector::config::Config;
use connector::{Submission, SubmitFault};
use domain::dispatch::Rank;
use domain::ids::Code;
use domain::packet::{Business, DocumentType, Limits, Packet, Priority, SignerInfo, WrittenDate};
use trust::Time;

use super::delivery::{Form, Parcel, deliver};
use super::{CommandFault, Ending, file_fault};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Packets to send as they are / Các gói tin edXML
    #[arg(conflicts_with = "to")]
    packets: Vec<PathBuf>,
    /// Code of an addressee, again for each / Mã cơ quan nhận
    #[arg(long)]
    to: Vec<String>,
    /// Subject / Trích yếu
    #[arg(long, requires = "to")]
    subject: Option<String>,
    /// Number / Số
    #[arg(long, requires = "to")]
    number: Option<String>,
    /// Notation / Ký hiệu
    #[arg(long, requires = "to")]
    notation: Option<String>,
    /// Type as CODE=NAME, for instance 18=Công văn / Loại văn bản
    #[arg(long = "type", requires = "to")]
    document_type: Option<String>,
    /// Name of the person who signed / Người ký
    #[arg(long, requires = "to", default_value = "")]
    signer: String,
    /// Position of that person / Chức vụ
    #[arg(long, requires = "to")]
    position: Option<String>,
    /// Date of promulgation yyyy/MM/dd, today by default / Ngày ban hành
    #[arg(long, requires = "to")]
    date: Option<String>,
    /// A file, the signed document first / Tệp đính kèm
    #[arg(long, requires = "to")]
    attach: Vec<PathBuf>,
    /// 0 to 4 / Độ khẩn
    #[arg(long, default_value = "0")]
    priority: String,
    /// Writes the built packet to this file and does not send it
    #[arg(long, requires = "to")]
    write: Option<PathBuf>,
    /// How long to wait for the receipt, in seconds
    #[arg(long, default_value_t = 120)]
    wait: u64,
    /// One JSON object for each packet
    #[arg(long)]
    json: bool,
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
        return Err(CommandFault::Arguments(
            "không có gì để gửi / nothing to send: FILE... or --to".to_owned(),
        ));
    }
    if let Some(path) = &arguments.write {
        std::fs::write(path, &parcels[0].submission.bytes).map_err(file_fault(path))?;
        return Ok(Ending::Done);
    }
    let form = if arguments.json { Form::Json } else { Form::Text };
    deliver(config, parcels, Duration::from_secs(arguments.wait), form).await
}

/// A packet from a file. It is opened for its priority only; whether it is good is for the gateway to say.
fn as_it_is(path: &Path, config: &Config) -> Result<Parcel, CommandFault> {
    let bytes = std::fs::read(path).map_err(file_fault(path))?;
    let mut limits = Limits::default();
    limits.xml.bytes_max = config.limits.packet_bytes_max;
    let rank = match Packet::open(&bytes, &limits) {
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
    let wrong = |what: &str| CommandFault::Arguments(format!("sai tham số / wrong argument: {what}"));
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
    let draft = Draft {
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
        business: Business::default(),
        files: arguments
            .attach
            .iter()
            .map(|path| file(path))
            .collect::<Result<_, _>>()?,
    };
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
