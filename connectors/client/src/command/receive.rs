//! `connector receive`: writes what arrives to a folder, `<case>/<dispatch>.edxml` and `.receipt`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use connector::config::Config;
use connector::spool::{Spool, make_folder, write_whole};
use connector::text::Text;
use connector::{Connector, Received, StoreFault};
use domain::dispatch::DispatchKind;

use super::watch::serve;
use super::{CommandFault, Ending, asked_to_end, say, while_telling};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(help = Text::HelpReceiveTo.with(&[]), long)]
    to: Option<PathBuf>,
    #[arg(help = Text::HelpOnce.with(&[]), long)]
    once: bool,
    #[arg(help = Text::HelpIdle.with(&[]), long, default_value_t = 3)]
    idle: u64,
}

pub(crate) async fn run(config: Config, arguments: Arguments) -> Result<Ending, CommandFault> {
    let folder = arguments.to.unwrap_or_else(|| folder_of(&config));
    let spool = Spool::open(&config.folder, config.store.remember)?;
    let connector = Connector::open(config).await?;
    let receive = async {
        let work = async {
            if arguments.once {
                until_idle(&connector, &folder, Duration::from_secs(arguments.idle)).await
            } else {
                for_ever(&connector, &folder).await
            }
        };
        tokio::select! {
            ended = work => ended,
            never = serve(&connector, &spool) => match never {},
            () = connector.stopped() => Err(CommandFault::Store(StoreFault::Stopped)),
            ended = asked_to_end() => ended,
        }
    };
    let received = while_telling(&connector, receive).await;
    connector.settle(Duration::from_secs(2)).await;
    connector.close().await;
    received
}

/// Where documents are written unless told otherwise.
pub(crate) fn folder_of(config: &Config) -> PathBuf {
    config.folder.join("received")
}

async fn for_ever(connector: &Connector, folder: &Path) -> Result<Ending, CommandFault> {
    loop {
        let received = connector.next_received().await?;
        say(&write(connector, folder, &received).await?.display().to_string());
    }
}

async fn until_idle(connector: &Connector, folder: &Path, idle: Duration) -> Result<Ending, CommandFault> {
    loop {
        let was_consuming = connector.link().is_consuming;
        match tokio::time::timeout(idle, connector.next_received()).await {
            Ok(received) => say(&write(connector, folder, &received?).await?.display().to_string()),
            Err(_) if was_consuming && connector.link().is_consuming => return Ok(Ending::Done),
            // It has only just begun to listen.
            Err(_) if connector.link().is_consuming => {}
            // Nothing came because the broker was not reached: whether there is something is not known.
            Err(_) => return Ok(Ending::NotNow),
        }
    }
}

/// Writes one dispatch; only then it counts as taken.
pub(crate) async fn write(
    connector: &Connector,
    folder: &Path,
    received: &Received,
) -> Result<PathBuf, CommandFault> {
    let about = &received.about;
    let case = about
        .case
        .map_or_else(|| "no-case".to_owned(), |case| case.to_string());
    let extension = match about.kind {
        DispatchKind::Packet => "edxml",
        DispatchKind::Status => "status.edxml",
        DispatchKind::Receipt => "receipt",
    };
    let folder = folder.join(case);
    make_folder(&folder).map_err(CommandFault::Store)?;
    let name = format!("{}.{extension}", about.dispatch);
    write_whole(&folder, &name, &received.bytes)?;
    connector
        .done(about.dispatch)
        .await
        .map_err(|fault: StoreFault| CommandFault::Store(fault))?;
    Ok(folder.join(name))
}
