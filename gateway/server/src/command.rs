//! The command line: `gateway run` is the service, everything else is for people who operate it.
//!
//! **Invariant:** a command that changes something says what it changed, and its exit code tells whether all of it
//! was done: 0 done, 1 not done (for `verify`: something did not pass), 2 the command line is wrong, 3 done in part, 4 the configuration has faults.

mod agency;
mod agency_arguments;
mod broker;
mod check;
mod desk;
mod fault;
mod key;
mod parked;
mod password_file;
mod report;
mod text;
mod trust;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use domain::ids::CaseId;
use domain::port::StoreFault;
use tokio::signal::unix::{SignalKind, signal};

use crate::administration::{AdministrationFault, ParkingFault, Told};
use crate::app::{self, AppFault};
use crate::broker::ProvisionFault;
use crate::config::{Config, ConfigFault};
use crate::http::PlaceFault;
use crate::signer::SignerFault;
use crate::store;
use crate::telemetry;
use crate::trustkeeper::TrustKeeperFault;

use desk::Desk;
use text::{Said, Text, complain, print};

const EXIT_CODES: &str = "Mã kết thúc / exit codes: 0 xong (done), 1 không xong; verify: có tệp không đạt (not done; \
verify: a file did not pass), 2 sai dòng lệnh (usage), \
3 xong một phần (done in part), 4 lỗi cấu hình (configuration)";

/// Cổng liên thông văn bản điện tử / the gateway of signed electronic documents.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// Tệp cấu hình / the configuration file.
    #[arg(long, global = true, default_value = "/etc/gateway/gateway.toml")]
    config: PathBuf,
    /// In kết quả dạng JSON / print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Chạy cổng / run the gateway.
    Run,
    /// Kiểm tra cấu hình và cho biết sẽ chạy gì / validate everything and say what would run.
    Check {
        /// Thử kết nối broker / also try to reach the broker.
        #[arg(long)]
        online: bool,
    },
    /// Danh mục cơ quan / the directory of agencies.
    Agency(agency_arguments::AgencyArguments),
    /// Vật liệu tin cậy / trust material.
    #[command(subcommand)]
    Trust(trust::TrustCommand),
    /// In cấu trúc broker / print the topology of the broker, as in schemas/topology.json.
    Topology,
    /// Thiết lập broker / set up the broker.
    #[command(subcommand)]
    Broker(broker::BrokerCommand),
    /// Gói tin chờ người xử lý / packets that wait for a person.
    #[command(subcommand)]
    Parked(parked::ParkedCommand),
    /// Khóa của cổng / the gateway's own key.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Mọi sự kiện của một hồ sơ / all events of a case.
    Case {
        /// Mã hồ sơ / the case.
        case: String,
    },
    /// Kiểm tra chữ ký: có đúng không, và vì sao / verify signatures: are they good, and why?
    Verify(verify::VerifyArguments),
    /// Chấp nhận giờ hiện tại sau khi đồng hồ nhảy / accept the time of day after the clock jumped.
    AcceptClock,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Done,
    InPart,
    /// Everything was looked at, and something did not pass.
    NotPassed,
}

/// Why a command did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandFault {
    /// The folder of account hashes.
    #[error("the folder of account hashes: {0}")]
    Accounts(#[source] std::io::Error),
    /// The order was refused.
    #[error(transparent)]
    Administration(#[from] AdministrationFault),
    /// The gateway ended.
    #[error(transparent)]
    App(#[from] AppFault),
    /// The running gateway answered with an error and no word of why.
    #[error("the gateway answered {0}")]
    Answered(reqwest::StatusCode),
    /// The broker does not let the gateway in.
    #[error("the broker cannot be reached: {0}")]
    BrokerAway(String),
    /// A gateway has the data folder and does not answer.
    #[error("a gateway has the data folder {0} and does not answer on its internal port")]
    Busy(PathBuf),
    /// Not a case id.
    #[error("{0} is no case id")]
    CaseUnfit(String),
    /// Nobody knows the case.
    #[error("there is no case {0}")]
    CaseUnknown(CaseId),
    /// A file holds no certificate.
    #[error("{path}: {fault}")]
    Certificate {
        /// Which.
        path: PathBuf,
        /// Why not.
        fault: String,
    },
    /// Not an agency code.
    #[error("{0} is no agency code")]
    CodeUnfit(String),
    /// The configuration has faults, which are told one by one.
    #[error("the configuration has faults")]
    Config(Vec<ConfigFault>),
    /// The running gateway could not be asked.
    #[error("the running gateway could not be asked: {0}")]
    Exchange(#[source] reqwest::Error),
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// A key or certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Key(#[source] rcgen::Error),
    /// Only a running gateway can do this.
    #[error("no gateway runs here")]
    NoGateway,
    /// Accounts have new passwords, and the file that they were to go into could not be written.
    #[error("{path}: {error}")]
    PasswordsLost {
        /// The file.
        path: PathBuf,
        /// Whose passwords.
        accounts: String,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// Where the running gateway is cannot be read.
    #[error(transparent)]
    Place(#[from] PlaceFault),
    /// A parked packet stays where it is.
    #[error(transparent)]
    Parking(#[from] ParkingFault),
    /// Said already, in both languages.
    #[error("{0}")]
    Problem(String),
    /// The broker could not be set up.
    #[error("the broker could not be set up: {0}")]
    Provision(#[from] ProvisionFault),
    /// More than one.
    #[error("several faults")]
    Several(Vec<CommandFault>),
    /// The receipt key.
    #[error(transparent)]
    Signer(#[from] SignerFault),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] store::Fault),
    /// The store cannot answer.
    #[error(transparent)]
    StoreAway(#[from] StoreFault),
    /// Logs could not be started.
    #[error("logs could not be started")]
    Telemetry,
    /// The desk said no.
    #[error("{0:?}")]
    Told(Told),
    /// Trust material.
    #[error(transparent)]
    Trust(#[from] TrustKeeperFault),
    /// Nothing can be verified with what was given: why, in both languages.
    #[error("{}", .0[1])]
    Unjudged([String; 2]),
}

/// Carries out a command line, and says how it ended.
pub async fn run(cli: Cli) -> ExitCode {
    match carry_out(&cli).await {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::InPart) => ExitCode::from(3),
        Ok(Ending::NotPassed) => ExitCode::from(1),
        Err(fault) => {
            let code = complain_of(&fault);
            ExitCode::from(code)
        }
    }
}

/// Says why, one language a line, and gives the exit code.
fn complain_of(fault: &CommandFault) -> u8 {
    let words = fault::in_words(fault);
    if let CommandFault::Config(_) = fault {
        complain(&Text::ConfigFaults.with(&[("count", &words.len().to_string())]));
        for [vi, en] in words.iter().map(Said::languages) {
            complain(&format!("  {vi}\n    {en}"));
        }
        return 4;
    }
    for said in words {
        for line in Text::Failed.said().about("fault", &said).languages() {
            complain(&line);
        }
    }
    1
}

async fn carry_out(cli: &Cli) -> Result<Ending, CommandFault> {
    let load = || Config::load(&cli.config).map_err(CommandFault::Config);
    match &cli.command {
        Command::Run => serve(&load()?).await,
        Command::Check { online } => check::check(&load()?, *online).await,
        Command::Agency(arguments) => {
            agency::carry_out(&Desk::open(&load()?).await?, arguments, cli.json).await
        }
        Command::Trust(command) => trust::carry_out(&Desk::open(&load()?).await?, command, cli.json).await,
        Command::Parked(command) => parked::carry_out(&load()?, command, cli.json).await,
        Command::Topology => {
            print(crate::broker::topology::published(&crate::broker::topology::Limits::default()).trim_end());
            Ok(Ending::Done)
        }
        Command::Broker(command) => broker::carry_out(&load()?, command).await,
        Command::Key(command) => key::carry_out(command),
        Command::Case { case } => show_case(&load()?, case, cli.json).await,
        Command::Verify(arguments) => verify::carry_out(load, arguments, cli.json).await,
        Command::AcceptClock => {
            Desk::open(&load()?).await?.clock_accept().await?;
            Text::ClockAccepted.say(&[]);
            Ok(Ending::Done)
        }
    }
}

/// Runs the gateway until SIGTERM or SIGINT.
async fn serve(config: &Config) -> Result<Ending, CommandFault> {
    telemetry::start(&config.log).map_err(|_| CommandFault::Telemetry)?;
    let listen = |kind| signal(kind).expect("a signal can be listened to inside the runtime");
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate()), listen(SignalKind::interrupt()));
    let end = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    app::run(config, end).await?;
    Ok(Ending::Done)
}

async fn show_case(config: &Config, case: &str, json: bool) -> Result<Ending, CommandFault> {
    let case: CaseId = case
        .parse()
        .map_err(|_| CommandFault::CaseUnfit(case.to_owned()))?;
    let view = Desk::open(config).await?.case(case).await?;
    if json {
        print_json(&view);
        return Ok(Ending::Done);
    }
    for event in &view.events {
        print(&format!(
            "{:>8}  {}  {:<16}  {}",
            event.position, event.time, event.word, event.event
        ));
    }
    Ok(Ending::Done)
}

fn print_json(view: &impl serde::Serialize) {
    print(&serde_json::to_string_pretty(view).expect("a view is JSON"));
}

fn read_file(path: &Path) -> Result<Vec<u8>, CommandFault> {
    std::fs::read(path).map_err(|error| CommandFault::File {
        path: path.to_owned(),
        error,
    })
}

/// Writes a new file that only its owner may read. One that is there already is never overwritten.
fn write_private(path: &Path, text: &str) -> Result<(), CommandFault> {
    use std::io::Write;
    let mut file = create_private(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| CommandFault::File {
        path: path.to_owned(),
        error,
    })
}

/// Makes a new, empty file that only its owner may read. One that is there already is never overwritten.
fn create_private(path: &Path) -> Result<std::fs::File, CommandFault> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| CommandFault::File {
        path: path.to_owned(),
        error,
    })
}

/// A fault with everything behind it, where its own words do not say it already.
fn with_causes(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = next.source();
    }
    text
}
