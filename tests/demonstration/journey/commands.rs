//! The connector's command, as a clerk without software would use it.

use std::path::Path;

use domain::{
    dispatch::DispatchKind,
    event::Happening,
    ids::{DispatchId, SubmissionId},
};
use harness::{
    process::{self, Program},
    province::{Agency, Province},
};
use serde_json::Value;

use super::{TYPING_ADDRESSEE, TYPING_SENDER, documents::WHOLE};

/// `connector send` at one agency, `connector receive` at another.
pub(super) async fn urgent(province: &mut Province) -> String {
    province.agency_mut(TYPING_SENDER).close().await;
    province.agency_mut(TYPING_ADDRESSEE).close().await;
    let [sender, addressee] = [TYPING_SENDER, TYPING_ADDRESSEE].map(|place| province.agency(place));
    let letter = sender.draft().to(addressee).urgent().letter();
    let file = sender.folder().join("hoa-toc.edxml");
    std::fs::write(&file, letter.bytes()).expect("the agency's folder can be written");
    let told = command(sender, &["send", "--json", utf8(&file)]).await;
    let told: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    let word = |key: &str| told[key].as_str().unwrap_or("?").to_owned();
    let submission = SubmissionId::parse(&word("submission")).expect("the command tells the submission");
    province
        .ledger
        .sent(sender.account(), &submission, letter.bytes());

    let folder = addressee.folder().join("received");
    let listed = command(
        addressee,
        &["receive", "--once", "--idle", "2", "--to", utf8(&folder)],
    )
    .await;
    let mut whole = 0;
    for line in listed.lines() {
        whole += usize::from(take_file(province, addressee, Path::new(line)) == letter.bytes());
    }
    let books = province.books();
    let rank = books.events.iter().find_map(|recorded| {
        let Happening::Accepted(it) = &recorded.event.happening else {
            return None;
        };
        (it.submission.id == submission).then_some(it.rank)
    });
    let rank = rank.map_or_else(|| "?".to_owned(), |rank| format!("{rank:?}"));
    let result = word("result");
    // What came for them and was not written to a file goes on through the library.
    province.agency_mut(TYPING_SENDER).open().await;
    province.agency_mut(TYPING_ADDRESSEE).open().await;
    format!("{result}, {rank}, {whole} × {WHOLE}")
}

/// Enters a file that `connector receive` wrote into the ledger, and returns its bytes.
fn take_file(province: &Province, agency: &Agency, file: &Path) -> Vec<u8> {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let (dispatch, kind) = name.split_once('.').unwrap_or((name, ""));
    let dispatch: DispatchId = dispatch.parse().expect("files are named after dispatches");
    let kind = match kind {
        "edxml" => DispatchKind::Packet,
        "status.edxml" => DispatchKind::Status,
        "receipt" => DispatchKind::Receipt,
        other => panic!("not a file of the command: {other}"),
    };
    province
        .ledger
        .stored_as(agency.account(), (dispatch, kind), &bytes);
    bytes
}

/// Runs `connector --config … ARGUMENTS`, which must succeed.
async fn command(agency: &Agency, arguments: &[&str]) -> String {
    let config = agency.config();
    let arguments = [&["--config", utf8(&config)], arguments].concat();
    let ended = process::run(Program::Connector, &arguments).await;
    let name = arguments.join(" ");
    assert!(
        ended.status.success(),
        "connector {name}: {}\n{}{}",
        ended.status,
        ended.output,
        ended.errors
    );
    ended.output
}

/// How to send by hand what nobody has sent yet.
#[expect(clippy::print_stdout, reason = "a command")]
pub(super) fn say_how(province: &Province) {
    let [sender, addressee] = [TYPING_SENDER, TYPING_ADDRESSEE].map(|place| province.agency(place));
    let letter = sender.draft().to(addressee).letter();
    let (packet, pdf) = (sender.folder().join("moi.edxml"), sender.folder().join("moi.pdf"));
    let file = &letter.packet().attachments[0].content;
    for (path, bytes) in [(&packet, letter.bytes()), (&pdf, file.bytes())] {
        std::fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let connector = Program::Connector.path().display();
    let (from, to) = (sender.config(), addressee.config());
    println!("\nThử bằng tay / by hand");
    println!(
        "  {connector} --config {} send {}",
        from.display(),
        packet.display()
    );
    println!(
        "  {connector} --config {} send --to {} --subject \"Thử\" --number 99 --notation CV-TN \\\n    \
         --type \"9=Công văn\" --signer \"Nguyễn Văn Thử\" --attach {}",
        from.display(),
        addressee.code(),
        pdf.display()
    );
    println!("  {connector} --config {} receive --once", to.display());
    let gateway = Program::Gateway.path().display();
    println!(
        "  {gateway} --config {} agency list",
        province.gateway.config().display()
    );
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("folders of the harness have UTF-8 names")
}
