//! `gateway trust`: trust material.

use std::path::PathBuf;

use clap::Subcommand;

use super::desk::Desk;
use super::text::Text;
use super::{CommandFault, Ending, print_json, read_file};
use crate::http::view::TrustView;

#[derive(Debug, Subcommand)]
pub(super) enum TrustCommand {
    /// Tình trạng / how it stands.
    Status,
    /// Đọc lại thư mục và tải mọi danh sách / read the folders and fetch all lists now.
    Refresh,
    /// Nhận một danh sách thu hồi từ tệp / take a revocation list from a file.
    ImportCrl {
        /// Tệp PEM hoặc DER / the file.
        file: PathBuf,
    },
}

pub(super) async fn carry_out(
    desk: &Desk,
    command: &TrustCommand,
    json: bool,
) -> Result<Ending, CommandFault> {
    match command {
        TrustCommand::Status => Ok(tell(&desk.trust_status().await?, json)),
        TrustCommand::Refresh => Ok(tell(&desk.trust_refresh().await?, json)),
        TrustCommand::ImportCrl { file } => {
            let list = desk.trust_import(read_file(file)?).await?;
            if json {
                print_json(&list);
            } else {
                let number = list.number.as_deref().unwrap_or("-");
                Text::ListImported.say(&[("issuer", &list.issuer), ("number", number)]);
            }
            Ok(Ending::Done)
        }
    }
}

/// Done in part when an address or a file could not be used.
fn tell(view: &TrustView, json: bool) -> Ending {
    if json {
        print_json(view);
    } else {
        tell_lines(view);
    }
    let is_whole = view.faults.is_empty() && view.addresses.iter().all(|address| address.fault.is_none());
    if is_whole { Ending::Done } else { Ending::InPart }
}

fn tell_lines(view: &TrustView) {
    Text::TrustVersion.say(&[("version", &view.version.to_string())]);
    for anchor in &view.anchors {
        Text::TrustAnchor.say(&[("subject", &anchor.subject), ("until", &anchor.not_after)]);
    }
    for list in &view.lists {
        let (number, until) = (
            list.number.as_deref().unwrap_or("-"),
            list.next_update.as_deref().unwrap_or("-"),
        );
        let entries = list.entries.to_string();
        let values = [
            ("issuer", list.issuer.as_str()),
            ("number", number),
            ("entries", &entries),
            ("until", until),
        ];
        Text::TrustList.say(&values);
    }
    for address in &view.addresses {
        let (fetched, fault) = (
            address.fetched_at.as_deref().unwrap_or("-"),
            address.fault.as_deref().unwrap_or("-"),
        );
        Text::TrustAddress.say(&[("url", &address.url), ("fetched", fetched), ("fault", fault)]);
    }
    view.faults
        .iter()
        .for_each(|fault| Text::TrustFault.say(&[("fault", fault)]));
}
