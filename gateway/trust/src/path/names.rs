//! Name constraints along a path (RFC 5280 §4.2.1.10, §6.1.3 b and c, §6.1.4 g).
//!
//! **Invariant**: a name of a constrained kind that cannot be compared is refused.
//! **Invariant**: the number of comparisons of one path is bounded.

use std::sync::Arc;

use crate::report::Failure;
use crate::x509::{Certificate, Constraint, GeneralName, NameConstraints, Place};

/// Comparisons of a name with a subtree in one path: far more than any honest one takes.
const COMPARISONS_MAX: usize = 250_000;

/// Checks every certificate of the path, leaf first, anchor last, against the constraints of all above it.
pub(crate) fn check(chain: &[Arc<Certificate>]) -> Result<(), Failure> {
    let mut left = COMPARISONS_MAX;
    let mut above: Vec<&NameConstraints> = Vec::new();
    for (place, certificate) in chain.iter().enumerate().rev() {
        let is_leaf = place == 0;
        if !above.is_empty() && (is_leaf || !certificate.is_self_issued()) {
            check_one(certificate, &above, &mut left)?;
        }
        above.extend(&certificate.extensions().name_constraints);
    }
    Ok(())
}

fn check_one(
    certificate: &Arc<Certificate>,
    above: &[&NameConstraints],
    left: &mut usize,
) -> Result<(), Failure> {
    let extensions = certificate.extensions();
    let subject = certificate.subject();
    let own = (!subject.is_empty()).then(|| GeneralName::Directory(subject.clone()));
    // Mailboxes of the subject are constrained as those beside it are: also where both are there.
    let mailboxes = subject
        .mailboxes()
        .map(|mailbox| GeneralName::Mailbox(mailbox.into()));
    let names = own
        .into_iter()
        .chain(mailboxes)
        .chain(extensions.alternative_names.iter().cloned());
    for name in names {
        for constraints in above {
            let count = constraints.permitted.len() + constraints.excluded.len();
            *left = left.checked_sub(count).ok_or(Failure::BudgetSpent)?;
            if !is_allowed(&name, constraints) {
                return Err(Failure::ConstraintUnmet {
                    certificate: Arc::clone(certificate),
                    constraint: Constraint::NameConstraints,
                });
            }
        }
    }
    Ok(())
}

fn is_allowed(name: &GeneralName, constraints: &NameConstraints) -> bool {
    let mut excluded = constraints.excluded.iter().filter(|base| name.is_of_kind(base));
    let mut permitted = constraints
        .permitted
        .iter()
        .filter(|base| name.is_of_kind(base))
        .peekable();
    excluded.all(|base| name.place_in(base) == Place::Outside)
        && (permitted.peek().is_none() || permitted.any(|base| name.place_in(base) == Place::Inside))
}
