//! What the desk tells, in words.

use super::term;
use crate::administration::Told;
use crate::command::text::{Said, Text};

/// The text of the same name, with the values of the variant. Whatever the desk may tell is listed, or it does not
/// compile.
macro_rules! text_of {
    ($told:expr; $($name:ident($($value:ident),*))*) => {
        match $told {
            $(Told::$name { $($value),* } => Text::$name.said()$(.with(stringify!($value), $value))*,)*
        }
    };
}

/// What was told, in words.
pub(in crate::command) fn in_words(told: &Told) -> Said {
    if let Told::IdUnfit { text, kind } = told {
        return Text::IdUnfit.said().with("text", text).about("kind", &term(kind));
    }
    text_of! { told;
        AccountNotOpen(account, agency) AccountTaken(account, owner) AccountUnknown(account) AgencyActive(agency)
        AgencyEnded(agency) AgencyKnown(agency) AgencyNotNext(agency, next) AgencySuspended(agency)
        AgencyTwice(agency) AgencyUnknown(agency) AnchorAnother(given, found) AnchorIssued(subject) AnchorUnpinned(fingerprint)
        AnchorsSeveral(count) CandidatesUnset() CertificatesMany(most) CertificatesNotKept(fault)
        CertificatesRefused() CertificatesUnread(fault) CaseUnknown(case) CaseNotParked(case) CaseStillParked(case)
        CertificateNotPinned(agency)
        CertificatePinned(agency) Circle(agency, relation, to) ClockBehind(newest) ClockJumped(seconds) CodeNotHeld(code, agency)
        CodeOfGateway(code) CodeTaken(code, owner)
        ColumnMissing(column) ColumnRepeated(column) Conflict() Earlier(at, latest) FewAgencies() FileEmpty()
        FileNotUtf8() FileUtf16() FingerprintUnfit(text) HeirSuspended(agency) HeirWithoutAccount(agency)
        HeirWithoutCertificate(agency) IdUnfit(text, kind) ListNotKept(fault) ListRefused(fault)
        NobodyInherits(agency, incoming) NotProvisioning() ProvisionFailed(fault) RequestUnfit(fault)
        RowCodeForm(column, code) RowCodeUnfit(column, text) RowContradicts(line) RowEnded(agency)
        RowFieldEmpty(column) RowFields(found, expected) RowNotUtf8() RowQuoteOpen()
        RowRelatedUnknown(relation, code) RowTwoAgencies(one, other) StoreDamaged(fault) StoreNotNow(fault)
        StoreStopped(fault) SuccessorOfItself(agency) NameUnfit(agency) TokenWrong() Unchanged(agency)
        WordUnfit(text, wanted)
    }
}

#[cfg(test)]
mod tests {
    use domain::directory::import::ImportFault;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_has_the_values_that_it_asks_for() {
        // What serde knows of the type is all of its words: an unknown one names them.
        let unknown = serde_json::from_value::<Told>(json!({"word": ""})).expect_err("no such word");
        let message = unknown.to_string();
        let words = message
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| !word.is_empty());
        let mut count = 0;
        for word in words {
            let mut object = json!({"word": word});
            let told = loop {
                match serde_json::from_value::<Told>(object.clone()) {
                    Ok(told) => break told,
                    Err(fault) => {
                        let fault = fault.to_string();
                        let field = fault.split('`').nth(1).expect("a missing field is named");
                        object[field] = json!("x");
                    }
                }
            };
            let said = in_words(&told);
            assert!(said.missing().is_empty(), "{word}: {:?}", said.missing());
            count += 1;
        }
        assert!(count > 50, "{message}");
    }

    #[test]
    fn what_is_told_reads_back_and_is_said_once_in_each_language() {
        let told = Told::from(&ImportFault::ColumnMissing("code"));
        let wire = serde_json::to_value(&told).expect("JSON");
        assert_eq!(wire, json!({"word": "column-missing", "column": "code"}));
        let read: Told = serde_json::from_value(wire).expect("told");
        let [vi, en] = in_words(&read).languages();
        assert!(
            vi.contains("thiếu cột code") && en.contains("lacks column code"),
            "{vi} / {en}"
        );
    }
}
