//! The legal value that the signatures of the main document give it (NĐ 30/2020 Đ5, Đ7; QĐ 28/2018 Đ4).
//!
//! **Invariant:** an organisation's signature counts after a person's only where it covers it: later in the same PDF file.
//! Detached signatures stand beside one another and cover the file alone.

use crate::agency::Signatory;
use crate::event::SealFact;
use crate::refusal::{Refusal, RefusalCode};

/// What the signatures of the sender make of its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegalValue {
    /// Nobody signed for the sender: for information only.
    Information,
    /// A person signed.
    Signed,
    /// The organisation sealed.
    Sealed,
    /// Both did, the seal not covering the person's signature.
    Unordered,
    /// A person signed, and the organisation sealed after it.
    Full,
}

/// What is demanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LegalValueDemand {
    /// Nothing: what nobody signed is for information only.
    #[default]
    Nothing,
    /// A signature of the sender, be it a person's or the organisation's.
    Signature,
    /// A person's, and then the organisation's.
    Full,
}

impl LegalValueDemand {
    /// Every demand with its word in the configuration.
    pub const WORDS: [(&'static str, LegalValueDemand); 3] = [
        ("nothing", LegalValueDemand::Nothing),
        ("signature", LegalValueDemand::Signature),
        ("full", LegalValueDemand::Full),
    ];

    /// Why a document of this value is not taken.
    pub(super) fn refusal(self, value: LegalValue) -> Option<Refusal> {
        let missing = match (self, value) {
            (LegalValueDemand::Nothing, _) | (_, LegalValue::Full) => return None,
            (_, LegalValue::Information) => "chữ ký của cơ quan gửi (the sender's signature)",
            (
                LegalValueDemand::Signature,
                LegalValue::Signed | LegalValue::Sealed | LegalValue::Unordered,
            ) => {
                return None;
            }
            (LegalValueDemand::Full, LegalValue::Signed) => "chữ ký của cơ quan (the organisation's)",
            (LegalValueDemand::Full, LegalValue::Sealed) => "chữ ký của người có thẩm quyền (a person's)",
            (LegalValueDemand::Full, LegalValue::Unordered) => {
                "chữ ký cơ quan sau chữ ký cá nhân (the organisation's after the person's)"
            }
        };
        Some(Refusal::new(RefusalCode::LegalValueLacking).with("missing", missing))
    }
}

/// The value that these seals over the main document give it, oldest first within each file; `main` is its number. Those
/// that may yet pass count as if they did: while they are open the document waits.
pub(super) fn legal_value<'a>(seals: impl Iterator<Item = &'a SealFact>, main: u32) -> LegalValue {
    let (mut has_person, mut has_organisation, mut is_full) = (false, false, false);
    let mut has_person_in_file = false;
    for seal in seals.filter(|seal| may_count(seal)) {
        match seal.signatory.map(|(_, signatory)| signatory) {
            Some(Signatory::Person) => {
                has_person = true;
                has_person_in_file |= seal.attachment == main;
            }
            Some(Signatory::Organisation) => {
                has_organisation = true;
                is_full |= has_person_in_file && seal.attachment == main;
            }
            Some(Signatory::Device) | None => {}
        }
    }
    match (has_person, has_organisation) {
        _ if is_full => LegalValue::Full,
        (true, true) => LegalValue::Unordered,
        (true, false) => LegalValue::Signed,
        (false, true) => LegalValue::Sealed,
        (false, false) => LegalValue::Information,
    }
}

fn may_count(seal: &SealFact) -> bool {
    matches!(
        seal.indication.as_str(),
        "TOTAL-PASSED" | "INDETERMINATE/TRY_LATER"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AgencyId;

    fn seals(kinds: &[(u32, Option<Signatory>, &str)]) -> Vec<SealFact> {
        let seal = |(attachment, signatory, indication): &(u32, Option<Signatory>, &str)| SealFact {
            attachment: *attachment,
            seal: 1,
            indication: (*indication).to_owned(),
            signer: None,
            signatory: signatory.map(|signatory| (AgencyId::from_number(1), signatory)),
        };
        kinds.iter().map(seal).collect()
    }

    #[test]
    fn a_full_value_is_a_person_and_then_the_organisation_in_one_file() {
        const GOOD: &str = "TOTAL-PASSED";
        let (person, organisation) = (Some(Signatory::Person), Some(Signatory::Organisation));
        let machine = Some(Signatory::Device);
        for (kinds, value) in [
            (vec![], LegalValue::Information),
            (vec![(1, None, GOOD), (1, machine, GOOD)], LegalValue::Information),
            (vec![(1, person, GOOD)], LegalValue::Signed),
            (vec![(1, organisation, GOOD)], LegalValue::Sealed),
            (vec![(1, person, GOOD), (1, organisation, GOOD)], LegalValue::Full),
            (
                vec![(1, organisation, GOOD), (1, person, GOOD)],
                LegalValue::Unordered,
            ),
            (
                vec![(2, person, GOOD), (1, organisation, GOOD)],
                LegalValue::Unordered,
            ),
            (
                vec![(2, person, GOOD), (3, organisation, GOOD)],
                LegalValue::Unordered,
            ),
            (
                vec![(1, person, "TOTAL-FAILED/REVOKED"), (1, organisation, GOOD)],
                LegalValue::Sealed,
            ),
            (
                vec![(1, person, "INDETERMINATE/TRY_LATER"), (1, organisation, GOOD)],
                LegalValue::Full,
            ),
        ] {
            assert_eq!(legal_value(seals(&kinds).iter(), 1), value, "{kinds:?}");
        }
    }

    #[test]
    fn what_is_demanded_is_refused_where_it_lacks_and_nothing_else_is() {
        use LegalValue as Value;
        let values = [
            Value::Information,
            Value::Signed,
            Value::Sealed,
            Value::Unordered,
            Value::Full,
        ];
        for ((_, demand), refused) in LegalValueDemand::WORDS.into_iter().zip([0, 1, 4]) {
            let count = values
                .iter()
                .filter(|value| demand.refusal(**value).is_some())
                .count();
            assert_eq!(count, refused, "{demand:?}");
            assert_eq!(demand.refusal(Value::Full), None);
        }
    }
}
