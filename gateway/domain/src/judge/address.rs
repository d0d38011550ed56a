//! Who receives: the codes in `To`, resolved through the directory. `ToPlaces` is text and never routed (rules §8.12).
//!
//! **Invariant:** an addressee that cannot receive never keeps the others from receiving (QĐ 28 Đ8.2).

use super::Moment;
use crate::agency::Standing;
use crate::event::{Addressee, AddresseeFault, Unaddressed};
use crate::ids::{AgencyId, Code};
use crate::packet::DocumentPacket;
use crate::refusal::{Refusal, RefusalCode, Sayable, told};

/// Who of those named receives and who does not.
#[derive(Debug, Clone, Default)]
pub(super) struct Addressed {
    pub(super) addressees: Vec<Addressee>,
    pub(super) unaddressed: Vec<Unaddressed>,
}

/// Resolves everybody that `To` names; two codes of one agency are one addressee.
pub(super) fn address(packet: &DocumentPacket, moment: &Moment<'_>) -> Addressed {
    let mut addressed = Addressed::default();
    for written in packet.addressees() {
        match resolve(written, moment) {
            Ok(addressee) => addressed.add(addressee),
            Err(fault) => addressed.unaddressed.push(Unaddressed {
                code: told(written).into_owned(),
                fault,
            }),
        }
    }
    addressed
}

impl Addressed {
    /// A recall reaches everybody who was addressed by its target, or who holds their inbox since, whether its own `To`
    /// names them or not.
    pub(super) fn of_targets(targets: &[AgencyId], moment: &Moment<'_>) -> Addressed {
        let mut addressed = Addressed::default();
        for &target in targets {
            let agency = moment.directory.heir(target, moment.now).unwrap_or(target);
            let code = moment
                .directory
                .agency(agency)
                .and_then(|agency| agency.codes_current().next().cloned());
            let code = code.or_else(|| Code::parse(&agency.to_string()).ok());
            addressed.add(Addressee {
                agency,
                code: code.expect("an agency id is a printable text"),
                again: None,
            });
        }
        addressed
    }

    /// Why the document goes to nobody, one reason for each code that the sender wrote; nothing when somebody receives.
    pub(super) fn nobody(&self) -> Vec<Refusal> {
        if !self.addressees.is_empty() {
            return Vec::new();
        }
        if self.unaddressed.is_empty() {
            return vec![Refusal::new(RefusalCode::AddresseeNone)];
        }
        let reason = |one: &Unaddressed| {
            let code = match one.fault {
                AddresseeFault::Unknown => RefusalCode::AddresseeUnknown,
                AddresseeFault::Suspended => RefusalCode::AddresseeSuspended,
                AddresseeFault::Closed => RefusalCode::AddresseeClosed,
                AddresseeFault::Unreachable => RefusalCode::AddresseeUnreachable,
            };
            Refusal::new(code).with("code", Sayable::ours(&one.code))
        };
        self.unaddressed.iter().map(reason).collect()
    }

    fn add(&mut self, addressee: Addressee) {
        if !self.addressees.iter().any(|one| one.agency == addressee.agency) {
            self.addressees.push(addressee);
        }
    }
}

fn resolve(written: &str, moment: &Moment<'_>) -> Result<Addressee, AddresseeFault> {
    let (directory, now) = (moment.directory, moment.now);
    let code = Code::parse(written).map_err(|_| AddresseeFault::Unknown)?;
    let named = directory
        .by_code(&code, now)
        .or_else(|| directory.owners(&code).last().map(|one| one.value));
    let named = named.ok_or(AddresseeFault::Unknown)?;
    let heir = directory.heir(named, now).ok_or(AddresseeFault::Closed)?;
    match directory.standing(heir, now) {
        Some(Standing::Active) => {}
        Some(Standing::Suspended) => return Err(AddresseeFault::Suspended),
        Some(Standing::Closed) | None => return Err(AddresseeFault::Closed),
    }
    if directory.inbox_account(heir, now).is_none() {
        return Err(AddresseeFault::Unreachable);
    }
    Ok(Addressee {
        agency: heir,
        code,
        again: None,
    })
}
