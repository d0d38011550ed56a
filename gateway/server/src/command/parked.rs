//! `gateway parked`: packets that wait for a person.

use clap::Subcommand;
use domain::ids::CaseId;

use super::desk::Desk;
use super::text::Text;
use super::{CommandFault, Ending, print_json};

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
}

pub(super) async fn carry_out(
    desk: &Desk,
    command: &ParkedCommand,
    json: bool,
) -> Result<Ending, CommandFault> {
    let standing = match command {
        ParkedCommand::List => return list(desk, json).await,
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
