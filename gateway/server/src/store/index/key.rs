//! Keys of the index: one tree, a letter before each kind, numbers big-endian so that they sort.
//!
//! What grows with the documents begins with something that grows with time, wherever it can: sled then writes at a few
//! ends instead of everywhere. Originals cannot.
//!
//! **Invariant:** no key is the beginning of another of its kind with the same parts: texts stand last, or end with a
//! byte that no text holds.

use domain::dispatch::{Dispatch, Rank};
use domain::event::Identity;
use domain::ids::{AccountId, AgencyId, CaseId, DispatchId, DocumentId, SubmissionId};
use trust::{Digest, Time};

/// How far the index has come.
pub(crate) const APPLIED: &[u8] = b"\0applied";
/// Dispatches in an inbox: agency, document system, rank, position, dispatch.
pub(crate) const FLYING: u8 = b'f';
/// Dispatches that are due: agency, document system, rank, position, dispatch.
pub(crate) const DUE: u8 = b'q';
/// Unsettled dispatches by expiry.
pub(crate) const EXPIRY: u8 = b'x';
/// Changes of the directory by position.
pub(crate) const DIRECTORY: u8 = b'g';
/// Held submissions by the end of their waiting.
pub(crate) const HELD: u8 = b'h';
/// Submissions that wait for a person, by case.
pub(crate) const PARKED: u8 = b'k';
/// Receipts that are owed, by position.
pub(crate) const OWED: u8 = b'o';

fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(letter);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

fn agency_bytes(agency: AgencyId) -> [u8; 4] {
    agency.number().to_be_bytes()
}

/// Times before 1970 sort first.
fn time_bytes(time: Time) -> [u8; 8] {
    (time.as_micros().cast_unsigned() ^ 1 << 63).to_be_bytes()
}

pub(crate) fn case(case: CaseId) -> Vec<u8> {
    key(b'c', &[case.as_bytes()])
}

pub(crate) fn events(case: CaseId) -> Vec<u8> {
    key(b'e', &[case.as_bytes()])
}

pub(crate) fn event(case: CaseId, position: u64) -> Vec<u8> {
    key(b'e', &[case.as_bytes(), &position.to_be_bytes()])
}

/// The newest case of an identity.
pub(crate) fn identity(identity: &Identity) -> Vec<u8> {
    let (business, document) = (
        identity.business.code().as_bytes(),
        identity.document.as_str().as_bytes(),
    );
    let (sender, contents) = (agency_bytes(identity.sender), identity.contents.as_bytes());
    key(b'i', &[&sender, document, b"\0", business, contents])
}

pub(crate) fn document(sender: AgencyId, document: &DocumentId) -> Vec<u8> {
    key(b'n', &[&agency_bytes(sender), document.as_str().as_bytes()])
}

pub(crate) fn submission(account: &AccountId, id: &SubmissionId) -> Vec<u8> {
    key(
        b's',
        &[account.as_str().as_bytes(), b"\0", id.as_str().as_bytes()],
    )
}

pub(crate) fn dispatch(id: DispatchId) -> Vec<u8> {
    key(b'd', &[id.as_bytes()])
}

pub(crate) fn addressees(case: CaseId) -> Vec<u8> {
    key(b'a', &[case.as_bytes()])
}

pub(crate) fn addressed(case: CaseId, agency: AgencyId) -> Vec<u8> {
    key(b'a', &[case.as_bytes(), &agency_bytes(agency)])
}

/// A dispatch in the row of its addressee ([`DUE`] or [`FLYING`]): those of one document system together
/// ([`Dispatch::system`]), urgent ones first, then by age.
pub(crate) fn row(letter: u8, dispatch: &Dispatch, position: u64) -> Vec<u8> {
    let rank = match dispatch.rank {
        Rank::Urgent => 0,
        Rank::Normal => 1,
    };
    let position = position.to_be_bytes();
    key(
        letter,
        &[
            &agency_bytes(dispatch.to),
            &dispatch.system().to_be_bytes(),
            &[rank],
            &position,
            dispatch.id.as_bytes(),
        ],
    )
}

pub(crate) fn row_of(letter: u8, agency: AgencyId) -> Vec<u8> {
    key(letter, &[&agency_bytes(agency)])
}

/// What of an agency's row is for one of its document systems.
pub(crate) fn row_of_system(letter: u8, agency: AgencyId, system: u64) -> Vec<u8> {
    key(letter, &[&agency_bytes(agency), &system.to_be_bytes()])
}

/// The first key behind this one.
pub(crate) fn behind(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// A key behind all those of a row: a document system is never the last number and a rank together with it.
pub(crate) fn behind_all(row: &[u8]) -> Vec<u8> {
    [row, &[u8::MAX; 9]].concat()
}

/// The document system that a row's key belongs to.
pub(crate) fn system_of_row(key: &[u8]) -> Option<u64> {
    key.get(5..13)
        .map(|eight| u64::from_be_bytes(eight.try_into().expect("eight bytes")))
}

/// The agency that a row's key belongs to.
pub(crate) fn agency_of_row(key: &[u8]) -> Option<AgencyId> {
    key.get(1..5)
        .map(|four| AgencyId::from_number(u32::from_be_bytes(four.try_into().expect("four bytes"))))
}

/// The dispatch at the end of a key.
pub(crate) fn dispatch_of(key: &[u8]) -> Option<DispatchId> {
    key.last_chunk().copied().map(DispatchId::from_bytes)
}

/// The position at the end of a key.
pub(crate) fn position_of(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// The case at the end of a key.
pub(crate) fn case_of(key: &[u8]) -> Option<CaseId> {
    key.last_chunk().copied().map(CaseId::from_bytes)
}

pub(crate) fn expiry(at: Time, id: DispatchId) -> Vec<u8> {
    key(EXPIRY, &[&time_bytes(at), id.as_bytes()])
}

/// The first key of dispatches that expire at this time or later.
pub(crate) fn expiry_from(at: Time) -> Vec<u8> {
    key(EXPIRY, &[&time_bytes(at)])
}

pub(crate) fn owed(position: u64) -> Vec<u8> {
    key(OWED, &[&position.to_be_bytes()])
}

/// What became of the receipt about the event of a case with this leaf.
pub(crate) fn answer(case: CaseId, about: &Digest) -> Vec<u8> {
    key(b'r', &[case.as_bytes(), about.as_bytes()])
}

pub(crate) fn held(until: Time, case: CaseId) -> Vec<u8> {
    key(HELD, &[&time_bytes(until), case.as_bytes()])
}

pub(crate) fn parked(case: CaseId) -> Vec<u8> {
    key(PARKED, &[case.as_bytes()])
}

/// When the waiting of a held submission ends.
pub(crate) fn held_until(key: &[u8]) -> Option<Time> {
    let bytes = key.get(1..9)?.try_into().expect("eight bytes");
    Some(Time::from_micros(
        (u64::from_be_bytes(bytes) ^ 1 << 63).cast_signed(),
    ))
}

/// What acts on a case: recalls, updates and replacements of it.
pub(crate) fn actions(target: CaseId) -> Vec<u8> {
    key(b'v', &[target.as_bytes()])
}

pub(crate) fn action(target: CaseId, by: CaseId) -> Vec<u8> {
    key(b'v', &[target.as_bytes(), by.as_bytes()])
}

pub(crate) fn statuses(case: CaseId, addressee: AgencyId) -> Vec<u8> {
    key(b't', &[case.as_bytes(), &agency_bytes(addressee)])
}

pub(crate) fn status(case: CaseId, addressee: AgencyId, position: u64) -> Vec<u8> {
    key(
        b't',
        &[case.as_bytes(), &agency_bytes(addressee), &position.to_be_bytes()],
    )
}

/// A place of the journal to look from for places near it.
pub(crate) fn mark(position: u64) -> Vec<u8> {
    key(b'm', &[&position.to_be_bytes()])
}

pub(crate) fn directory(position: u64) -> Vec<u8> {
    key(DIRECTORY, &[&position.to_be_bytes()])
}

pub(crate) fn original(digest: &Digest) -> Vec<u8> {
    key(b'p', &[digest.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_numbers() {
        let mut keys =
            [-5, 0, 7, i64::MIN, i64::MAX].map(|t| held(Time::from_micros(t), CaseId::from_bytes([0; 16])));
        keys.sort();
        let times = keys.map(|key| held_until(&key).expect("a held key").as_micros());
        assert_eq!(times, [i64::MIN, -5, 0, 7, i64::MAX]);
    }
}
