//! What is thought of the answers to a suite, counted.

use std::fmt;

use crate::case::{Answer, Case};

/// The count of one suite.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) cases: usize,
    /// Answered as expected, or left open by the suite.
    pub(crate) agree: usize,
    /// Left open, passing although the suite itself does not expect so: nothing wrong, but worth a look.
    doubtful: Vec<String>,
    wrong_accepts: Vec<String>,
    wrong_rejects: Vec<String>,
    unsupported: Vec<String>,
}

impl Tally {
    /// Holds an answer against what the case expects.
    pub(crate) fn count(&mut self, case: &Case<'_>, answer: Answer) -> Result<(), String> {
        let id = case.text("id")?.to_owned();
        self.cases += 1;
        // A case of canonical form expects its digest.
        let expected = case.maybe_text("expect").unwrap_or("accept");
        match (expected, answer) {
            ("either" | "unsupported", answer) => {
                self.agree += 1;
                let is_doubtful =
                    matches!(answer, Answer::Passed) && case.maybe_text("nominal") != Some("accept");
                self.doubtful.extend(is_doubtful.then_some(id));
            }
            (
                "accept" | "good" | "reject" | "revoked" | "unknown" | "unsigned",
                Answer::Unsupported(what),
            ) => {
                self.unsupported.push(format!("{id}: {what}"));
            }
            ("accept" | "good", Answer::Passed)
            | ("revoked", Answer::Revoked)
            | ("unknown", Answer::Unknown)
            | ("unsigned", Answer::Unsigned)
            | ("reject", Answer::Refused(_) | Answer::Unsigned | Answer::Revoked | Answer::Unknown) => {
                self.agree += 1;
            }
            ("reject" | "unsigned" | "revoked" | "unknown", Answer::Passed) => self.wrong_accepts.push(id),
            ("accept" | "good" | "revoked" | "unknown" | "unsigned", answer) => {
                self.wrong_rejects.push(format!("{id}: {}", word(&answer)));
            }
            (_, _) => return Err(format!("an unknown expectation: {expected}")),
        }
        Ok(())
    }

    /// Every wrong accept.
    pub(crate) fn faults(&self) -> impl Iterator<Item = String> {
        self.wrong_accepts
            .iter()
            .map(|id| format!("{id} must not pass, and passes"))
    }

    /// Everything that is not simply right.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let named = |what: &'static str, cases: &[String]| -> Vec<String> {
            cases.iter().map(|case| format!("{what}  {case}")).collect()
        };
        let all = [
            named("wrong accept", &self.wrong_accepts),
            named("wrong reject", &self.wrong_rejects),
            named("unsupported ", &self.unsupported),
            named("open, passes", &self.doubtful),
        ];
        all.into_iter().flatten()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cases, {} agree, {} wrong accept, {} wrong reject, {} unsupported",
            self.cases,
            self.agree,
            self.wrong_accepts.len(),
            self.wrong_rejects.len(),
            self.unsupported.len()
        )
    }
}

fn word(answer: &Answer) -> String {
    match answer {
        Answer::Passed => "passed".to_owned(),
        Answer::Revoked => "revoked".to_owned(),
        Answer::Unknown => "unknown".to_owned(),
        Answer::Unsigned => "taken for unsigned".to_owned(),
        Answer::Refused(reason) => reason.clone(),
        Answer::Unsupported(what) => (*what).to_owned(),
    }
}
