//! Delivering packets from a command: over an own connector, or through the spool of the one that runs already.

use std::time::{Duration, Instant};

use connector::config::Config;
use connector::receipt::Check;
use connector::spool::Spool;
use connector::text::Text;
use connector::{Connector, OpenFault, StoreFault, Submission};
use domain::ids::SubmissionId;
use domain::json::{Writer, text};
use domain::receipt::{AddresseeResult, Receipt, ReceiptKind};
use domain::refusal::{Refusal, Remark};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use trust::Time;

use super::fault::LANGUAGES_PART;
use super::watch::serve;
use super::{CommandFault, Ending, say, while_telling};

/// How often the spool is looked at for an answer.
const LOOK: Duration = Duration::from_millis(100);

/// How long a receipt is waited for unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

/// A packet with the name that it is told by.
pub(crate) struct Parcel {
    pub(crate) name: String,
    pub(crate) submission: Submission,
}

/// How results are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

/// How receipts are waited for, and told.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Waiting {
    #[arg(help = Text::HelpWait.with(&[]), long, value_name = "SECONDS")]
    wait: Option<u64>,
    #[arg(help = Text::HelpJson.with(&[]), long)]
    json: bool,
}

/// Whether a submission that is held is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// No: that it is held, and why, is the answer for now.
    IsTold,
    /// As long as for any other: somebody asked to wait.
    IsWaitedFor,
}

impl Waiting {
    pub(crate) fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Text }
    }

    fn patience(&self) -> Duration {
        self.wait.map_or(PATIENCE, Duration::from_secs)
    }

    fn held(&self) -> Held {
        match self.wait {
            Some(_) => Held::IsWaitedFor,
            None => Held::IsTold,
        }
    }
}

/// Submits all, waits for the receipts, tells each.
pub(crate) async fn deliver(
    config: Config,
    parcels: Vec<Parcel>,
    waiting: Waiting,
) -> Result<Ending, CommandFault> {
    let check = Check::new(&config.gateway_certificates)?;
    let spool = Spool::open(&config.folder, config.store.remember)?;
    match Connector::open(config).await {
        Ok(connector) => {
            let deliver = async {
                tokio::select! {
                    ended = directly(&connector, parcels, &waiting) => ended,
                    never = serve(&connector, &spool) => match never {},
                }
            };
            let ending = while_telling(&connector, deliver).await;
            connector.close().await;
            ending
        }
        Err(OpenFault::Store(StoreFault::Locked(_))) => through(&spool, &check, parcels, &waiting).await,
        Err(fault) => Err(fault.into()),
    }
}

async fn directly(
    connector: &Connector,
    parcels: Vec<Parcel>,
    waiting: &Waiting,
) -> Result<Ending, CommandFault> {
    let (names, submissions): (Vec<_>, Vec<_>) =
        parcels.into_iter().map(|one| (one.name, one.submission)).unzip();
    let ids = connector.submit_many(submissions).await?;
    let (deadline, progress) = (Instant::now() + waiting.patience(), progress(ids.len()));
    let mut ending = Ending::Done;
    for (name, id) in names.iter().zip(&ids) {
        let answer = async {
            match waiting.held() {
                Held::IsTold => connector.first_answer(id).await,
                Held::IsWaitedFor => connector.final_answer(id).await,
            }
        };
        let answered = tokio::time::timeout_at(deadline.into(), answer).await;
        progress.inc(1);
        let receipt = match answered.ok().or_else(|| connector.answer_of(id)) {
            Some(answer) => Some(connector.receipt_of(&answer)??),
            None => None,
        };
        ending = ending.max(progress.suspend(|| tell(name, id, receipt.as_ref(), waiting.form())));
    }
    progress.finish_and_clear();
    Ok(ending)
}

async fn through(
    spool: &Spool,
    check: &Check,
    parcels: Vec<Parcel>,
    waiting: &Waiting,
) -> Result<Ending, CommandFault> {
    let mut handed_in = Vec::with_capacity(parcels.len());
    for Parcel { name, submission } in parcels {
        let id = SubmissionId::parse(&uuid::Uuid::now_v7().to_string()).expect("a UUID is a submission id");
        spool.put(&id, submission.rank, &submission.bytes)?;
        handed_in.push((name, id));
    }
    let (deadline, progress) = (Instant::now() + waiting.patience(), progress(handed_in.len()));
    let mut ending = Ending::Done;
    for (name, id) in &handed_in {
        let answer = loop {
            let is_over = Instant::now() >= deadline;
            let answer = spool.take_answer(id)?;
            if answer.is_some() {
                break answer;
            }
            if let Some(fault) = spool.take_fault(id)? {
                let (vi, en) = fault.split_once(LANGUAGES_PART).unwrap_or((&fault, &fault));
                return Err(CommandFault::NotTaken([vi, en].map(str::to_owned)));
            }
            if is_over || waiting.held() == Held::IsTold {
                let notice = spool.take_notice(id)?;
                if is_over || notice.is_some() {
                    break notice;
                }
            }
            tokio::time::sleep(LOOK).await;
        };
        progress.inc(1);
        // The signature says who answered; when, only the receipt's own time matters.
        let receipt = answer
            .map(|der| check.open(&der, Time::from_seconds(0)))
            .transpose()?;
        ending = ending.max(progress.suspend(|| tell(name, id, receipt.as_ref(), waiting.form())));
    }
    progress.finish_and_clear();
    Ok(ending)
}

fn progress(count: usize) -> ProgressBar {
    let bar = ProgressBar::new(count as u64);
    let words = Text::Progress.with(&[]);
    let style = ProgressStyle::with_template(&format!("{{spinner}} {{pos}}/{{len}} {words}  {{elapsed}}"));
    bar.set_style(style.expect("a template that is tried at every run"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// What a receipt says of a submission, as [`deliver`] tells it.
pub(super) fn result(submission: &SubmissionId, receipt: &Receipt, is_json: bool) -> String {
    let (ending, word) = ending_of(Some(receipt));
    let name = submission.as_str();
    if is_json {
        json(name, submission, Some(receipt), word)
    } else {
        lines(name, submission, Some(receipt), ending).join("\n")
    }
}

fn ending_of(receipt: Option<&Receipt>) -> (Ending, &'static str) {
    match receipt.map(|receipt| receipt.kind) {
        Some(ReceiptKind::SubmissionAcceptance) => (Ending::Done, "accepted"),
        Some(ReceiptKind::SubmissionRejection) => (Ending::Refused, "refused"),
        Some(ReceiptKind::SubmissionHeld) => (Ending::NotNow, "held"),
        Some(
            ReceiptKind::Repeat
            | ReceiptKind::ContentConsignment
            | ReceiptKind::ContentConsignmentFailure
            | ReceiptKind::ContentHandover
            | ReceiptKind::ContentHandoverFailure,
        )
        | None => (Ending::NotNow, "waiting"),
    }
}

/// Tells what became of one submission.
fn tell(name: &str, submission: &SubmissionId, receipt: Option<&Receipt>, form: Form) -> Ending {
    let (ending, word) = ending_of(receipt);
    match form {
        Form::Json => say(&json(name, submission, receipt, word)),
        Form::Text => lines(name, submission, receipt, ending)
            .iter()
            .for_each(|line| say(line)),
    }
    ending
}

/// A reason with its words, and what to do.
fn reason(refusal: &Refusal) -> Value {
    let words = refusal.text();
    Writer::new()
        .text("code", refusal.code.word())
        .text("article", words.article)
        .text("vi", words.vi)
        .text("en", words.en)
        .text("action_vi", words.action_vi)
        .text("action_en", words.action_en)
        .end()
}

/// Who of those that were named receives, and why another one does not.
fn addressee(one: &AddresseeResult) -> Value {
    Writer::new()
        .text("code", &one.code)
        .text("result", &one.result)
        .end()
}

fn json(name: &str, submission: &SubmissionId, receipt: Option<&Receipt>, word: &str) -> String {
    let codes = receipt
        .into_iter()
        .flat_map(|receipt| &receipt.reasons)
        .map(|reason| text(reason.code.word()));
    Writer::new()
        .text("event", "result")
        .text("packet", name)
        .text("submission", submission)
        .text("result", word)
        .maybe("case", receipt.map(|receipt| receipt.case))
        .list("reasons", codes)
        .list(
            "details",
            receipt
                .into_iter()
                .flat_map(|receipt| &receipt.reasons)
                .map(reason),
        )
        .list(
            "addressees",
            receipt
                .into_iter()
                .flat_map(|receipt| &receipt.addressees)
                .map(addressee),
        )
        .list(
            "remarks",
            receipt
                .into_iter()
                .flat_map(|receipt| &receipt.remarks)
                .map(Remark::to_json),
        )
        .end()
        .to_string()
}

/// For people: Vietnamese first, then English, with what to do.
fn lines(name: &str, submission: &SubmissionId, receipt: Option<&Receipt>, ending: Ending) -> Vec<String> {
    let Some(receipt) = receipt else {
        return vec![Text::NoAnswer.with(&[("name", name), ("submission", submission.as_str())])];
    };
    let head = match ending {
        Ending::Done => Text::Accepted,
        Ending::Refused => Text::Refused,
        Ending::NotNow => Text::Held,
    };
    let mut lines = vec![head.with(&[("name", name), ("case", &receipt.case.to_string())])];
    for addressee in receipt.addressees.iter().filter(|one| one.result != "accepted") {
        let values = [("code", addressee.code.as_str()), ("result", &addressee.result)];
        lines.push(Text::Addressee.with(&values));
    }
    for reason in &receipt.reasons {
        let words = reason.text();
        lines.push(format!("  {} ({})", reason.code.word(), words.article));
        lines.push(format!("    {}", words.vi));
        lines.push(format!("    → {}", words.action_vi));
        lines.push(format!("    {}", words.en));
        lines.push(format!("    → {}", words.action_en));
    }
    lines.extend(receipt.remarks.iter().map(noted));
    if ending == Ending::NotNow {
        lines.push(Text::HeldGoesOn.with(&[("submission", submission.as_str())]));
    }
    lines
}

/// A remark in words. What a held submission waits for is said in full: whoever sent it asks why.
fn noted(remark: &Remark) -> String {
    let text = match remark.code.as_str() {
        "revocation-unknown" => Text::RevocationUnknown,
        "issuer-unknown" => Text::IssuerUnknown,
        _ => Text::Remarked,
    };
    text.with(&[("code", &remark.code), ("about", &remark.about)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{CaseId, Code};
    use domain::refusal::{Refusal, RefusalCode};
    use trust::Digest;

    fn receipt(kind: ReceiptKind) -> Receipt {
        let gateway = Code::parse("000.00.00.H53").expect("a code");
        Receipt::new(
            kind,
            gateway,
            CaseId::from_bytes([1; 16]),
            Time::from_seconds(1),
            Digest::of(b"event"),
        )
    }

    #[test]
    fn a_refusal_is_told_in_vietnamese_first_and_with_what_to_do() {
        let mut refused = receipt(ReceiptKind::SubmissionRejection);
        refused
            .reasons
            .push(Refusal::new(RefusalCode::SenderUnknown).with("code", "X01"));
        let submission = SubmissionId::parse("s1").expect("an id");
        let lines = lines("one.edxml", &submission, Some(&refused), Ending::Refused);
        let words = refused.reasons[0].text();
        let vi = lines
            .iter()
            .position(|line| line.contains(&words.vi))
            .expect("Vietnamese");
        let en = lines
            .iter()
            .position(|line| line.contains(&words.en))
            .expect("English");
        assert!(
            vi < en && lines.iter().any(|line| line.contains(&words.action_vi)),
            "{lines:#?}"
        );
    }

    #[test]
    fn software_is_told_who_was_not_reached_and_what_to_do() {
        let mut accepted = receipt(ReceiptKind::SubmissionAcceptance);
        let one = |code: &str, result: &str| AddresseeResult {
            code: code.to_owned(),
            result: result.to_owned(),
        };
        accepted.addressees = vec![one("X02", "accepted"), one("X09", "addressee-unknown")];
        let submission = SubmissionId::parse("s1").expect("an id");
        let told = |receipt: &Receipt| -> Value {
            let (_, word) = ending_of(Some(receipt));
            serde_json::from_str(&json("one.edxml", &submission, Some(receipt), word)).expect("JSON")
        };
        let object = told(&accepted);
        assert_eq!(object["result"], "accepted");
        assert_eq!(object["addressees"][1]["code"], "X09");
        assert_eq!(object["addressees"][1]["result"], "addressee-unknown");
        let mut refused = receipt(ReceiptKind::SubmissionRejection);
        let why = Refusal::new(RefusalCode::SenderUnknown).with("code", "X01");
        refused.reasons.push(why.clone());
        let object = told(&refused);
        assert_eq!(object["reasons"][0], "SENDER_UNKNOWN");
        assert_eq!(object["details"][0]["vi"], why.text().vi);
        assert_eq!(object["details"][0]["action_en"], why.text().action_en);
    }

    #[test]
    fn what_is_held_is_told_with_why_in_vietnamese_first() {
        let mut held = receipt(ReceiptKind::SubmissionHeld);
        held.remarks = vec![
            Remark::new("revocation-unknown", "CN=CA"),
            Remark::new("issuer-unknown", "CN=Root"),
            Remark::new("something-new", "x"),
        ];
        let submission = SubmissionId::parse("s1").expect("an id");
        let lines = lines("one.edxml", &submission, Some(&held), Ending::NotNow);
        for (line, expected) in lines[1..4]
            .iter()
            .zip(["«CN=CA»", "«CN=Root»", "something-new x"])
        {
            assert!(line.contains(expected), "{line}");
        }
        assert!(
            lines[1].find("chưa biết") < lines[1].find("not known"),
            "{lines:#?}"
        );
        let json = json("one.edxml", &submission, Some(&held), "held");
        assert!(
            json.contains(r#"{"about":"CN=CA","code":"revocation-unknown"}"#),
            "{json}"
        );
    }

    #[test]
    fn what_is_held_is_waited_for_only_when_asked_to() {
        let waiting = |wait| Waiting { wait, json: false };
        assert_eq!(
            (waiting(None).held(), waiting(None).patience()),
            (Held::IsTold, PATIENCE)
        );
        let asked = waiting(Some(7));
        assert_eq!(
            (asked.held(), asked.patience()),
            (Held::IsWaitedFor, Duration::from_secs(7))
        );
    }

    #[test]
    fn the_worst_result_is_the_exit_status() {
        let submission = SubmissionId::parse("s1").expect("an id");
        let of = |kind| tell("p", &submission, Some(&receipt(kind)), Form::Json);
        let endings = [
            of(ReceiptKind::SubmissionAcceptance),
            of(ReceiptKind::SubmissionHeld),
        ];
        assert_eq!(endings.into_iter().max(), Some(Ending::NotNow));
        assert_eq!(
            of(ReceiptKind::SubmissionRejection).max(Ending::NotNow),
            Ending::Refused
        );
        assert_eq!(tell("p", &submission, None, Form::Text), Ending::NotNow);
    }
}
