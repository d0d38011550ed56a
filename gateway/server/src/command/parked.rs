//! `gateway parked`: packets that wait for a person.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use domain::ids::CaseId;
use serde::Serialize;
use trust::Digest;

use super::desk::Desk;
use super::text::Text;
use super::{CommandFault, Ending, print_json};
use crate::broker::{ParkedMessage, TakeOutFault, take_out};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum ParkedCommand {
    /// Các gói tin đang chờ người xử lý / packets that wait for a person.
    List,
    /// Cho cổng xét lại, sau khi đã sửa nguyên nhân / have it judged again, once the cause is mended.
    Release {
        /// Mã hồ sơ / the case.
        case: CaseId,
    },
    /// Trả lại cho cơ quan gửi, kèm biên nhận từ chối / return it to its sender, with a rejection.
    Refuse {
        /// Mã hồ sơ / the case.
        case: CaseId,
    },
    /// Lấy các bản tin không rõ nguồn khỏi broker, ghi ra tệp / take messages that nobody can attribute out of the
    /// broker, into files.
    TakeMessages {
        /// Thư mục nhận tệp / the folder that gets the files.
        #[arg(long)]
        into: PathBuf,
    },
}

pub(super) async fn carry_out(
    config: &Config,
    command: &ParkedCommand,
    json: bool,
) -> Result<Ending, CommandFault> {
    if let ParkedCommand::TakeMessages { into } = command {
        return take_messages(config, into).await;
    }
    let desk = &Desk::open(config).await?;
    let standing = match command {
        ParkedCommand::List | ParkedCommand::TakeMessages { .. } => return list(desk, json).await,
        ParkedCommand::Release { case } => desk.parked_release(*case).await?,
        ParkedCommand::Refuse { case } => desk.parked_refuse(*case).await?,
    };
    if json {
        print_json(&standing);
    } else {
        Text::CaseStands.say(&[("case", &standing.case), ("state", &standing.state)]);
    }
    Ok(Ending::Done)
}

/// Each message becomes two files, one with its bytes and one with what is known of it, named by both: a message that is
/// taken twice, because this process died between the two, is the same two files.
async fn take_messages(config: &Config, into: &Path) -> Result<Ending, CommandFault> {
    let address = super::broker::address(config)?;
    let fault = |error| CommandFault::File {
        path: into.to_owned(),
        error,
    };
    make_folder(into).map_err(fault)?;
    let keep = |message: &ParkedMessage| {
        let known = serde_json::to_vec_pretty(&MessageView::of(message)).expect("a view is JSON");
        let name = Digest::of(&[known.as_slice(), message.body.as_slice()].concat()).to_string();
        write_synced(&into.join(format!("{name}.json")), &known)?;
        write_synced(&into.join(format!("{name}.message")), &message.body)?;
        File::open(into)?.sync_all()
    };
    let taken = take_out(&address, keep).await.map_err(|fault| match fault {
        TakeOutFault::NotKept(error) => CommandFault::File {
            path: into.to_owned(),
            error,
        },
        TakeOutFault::Broker(_) => CommandFault::BrokerAway(fault.to_string()),
    })?;
    Text::MessagesTaken.say(&[
        ("count", &taken.to_string()),
        ("folder", &into.display().to_string()),
    ]);
    Ok(Ending::Done)
}

/// What is known of a message that nobody can attribute.
#[derive(Debug, Serialize)]
struct MessageView {
    /// Why it was parked.
    reason: Option<String>,
    /// The account that published it, when that was proven.
    account: Option<String>,
    /// The routing key or queue that it came by.
    came_by: Option<String>,
    /// Its message id.
    message_id: Option<String>,
    /// Its type.
    kind: Option<String>,
    /// Bytes of it.
    bytes: usize,
}

impl MessageView {
    fn of(message: &ParkedMessage) -> MessageView {
        MessageView {
            reason: message.reason.clone(),
            account: message.account.clone(),
            came_by: message.came_by.clone(),
            message_id: message.message_id.clone(),
            kind: message.kind.clone(),
            bytes: message.body.len(),
        }
    }
}

/// Only the operator reads it: nobody knows whose it is.
/// A folder that is still there after a power failure, as far as its own parent goes.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    match folder.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

async fn list(desk: &Desk, json: bool) -> Result<Ending, CommandFault> {
    let parked = desk.parked().await?;
    if json {
        print_json(&parked);
        return Ok(Ending::Done);
    }
    for one in &parked {
        let (agency, bytes) = (one.agency.as_deref().unwrap_or("-"), one.bytes.to_string());
        Text::ParkedPacket.say(&[
            ("case", &one.case),
            ("agency", agency),
            ("account", &one.account),
            ("received", &one.received_at),
            ("bytes", &bytes),
            ("reason", &one.reason),
        ]);
    }
    if parked.is_empty() {
        Text::ParkedNone.say(&[]);
    } else {
        Text::ParkedAdvice.say(&[]);
    }
    Ok(Ending::Done)
}
