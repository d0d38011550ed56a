//! The signature of a packet over its own XML: what it is worth, and what is demanded of it.
//!
//! Asked of packets that bring a document; a status is answered for by the account that brought it.
//!
//! It proves nothing of a document (the signed files inside do), breaks when a hop rewrites the packet, and is a dummy in
//! many packets of the field; so what is demanded is set for each agency.
//!
//! **Invariant:** it is judged over the very tree that the packet was read from.

use trust::xml::Tree;
use trust::xml::signature::{self, PacketSignature};
use trust::{Digest, Indication, Need, Snapshot, SubIndication, Time};

use crate::ids::AgencyId;
use crate::refusal::{Refusal, RefusalCode, Remark, Sayable};

/// What is demanded of the signature of a packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PacketDemand {
    /// Nothing: what it is worth is remarked.
    #[default]
    Nothing,
    /// Where there is one, it is valid and the sender's; none, or a placeholder, will do.
    SoundIfPresent,
    /// It is there, valid and the sender's.
    Sound,
}

impl PacketDemand {
    /// Every demand with its word in the configuration.
    pub const WORDS: [(&'static str, PacketDemand); 3] = [
        ("nothing", PacketDemand::Nothing),
        ("sound-if-present", PacketDemand::SoundIfPresent),
        ("sound", PacketDemand::Sound),
    ];
}

/// What the signature of a packet is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketWorth {
    /// There is none.
    Absent,
    /// Something that looks like one, and that nobody could verify.
    Placeholder,
    /// All pass, and one covers the whole packet.
    Valid,
    /// One does not pass, or none covers the whole packet.
    Invalid(Indication),
    /// It cannot be told before more is known.
    NotNow,
}

/// The signature of a packet, judged.
#[derive(Debug, Clone)]
pub struct PacketSeal {
    worth: PacketWorth,
    /// Who signed all of it.
    signers: Vec<Digest>,
    needs: Vec<Need>,
}

impl PacketSeal {
    /// That of a packet without one.
    pub fn absent() -> PacketSeal {
        PacketSeal {
            worth: PacketWorth::Absent,
            signers: Vec::new(),
            needs: Vec::new(),
        }
    }

    /// Judges the signature that stands in this packet.
    pub fn judge(packet: &Tree<'_>, trust: &Snapshot, now: Time) -> PacketSeal {
        let judged = signature::of_packet(packet, trust, now);
        let reports = || judged.seals().iter().map(|seal| seal.report());
        let failed = reports().find(|report| !report.is_passed() && !report.is_try_later());
        let worth = match &judged {
            PacketSignature::Absent => PacketWorth::Absent,
            PacketSignature::Placeholder => PacketWorth::Placeholder,
            PacketSignature::Valid(_) => PacketWorth::Valid,
            PacketSignature::Invalid(_) if judged.is_try_later() => PacketWorth::NotNow,
            // All may pass, and none cover the packet.
            PacketSignature::Invalid(_) => PacketWorth::Invalid(failed.map_or(
                Indication::Indeterminate(SubIndication::SigConstraintsFailure),
                |report| report.indication,
            )),
        };
        // Whoever signed a part of it, here or elsewhere, says nothing of the packet.
        let over_packet = judged.seals().iter().filter(|seal| seal.covers_document());
        let signers = over_packet.filter_map(|seal| Some(seal.report().signer.as_ref()?.fingerprint()));
        PacketSeal {
            worth,
            signers: signers.collect(),
            needs: match worth {
                PacketWorth::NotNow => reports().flat_map(|report| report.needs.clone()).collect(),
                PacketWorth::Absent
                | PacketWorth::Placeholder
                | PacketWorth::Valid
                | PacketWorth::Invalid(_) => Vec::new(),
            },
        }
    }

    /// What it is worth.
    pub fn worth(&self) -> PacketWorth {
        self.worth
    }

    /// What to note of it; nothing where there is none.
    pub(super) fn remark(&self) -> Option<Remark> {
        let about = match self.worth {
            PacketWorth::Absent => return None,
            PacketWorth::Placeholder => Sayable::from("placeholder"),
            PacketWorth::Valid => Sayable::from("valid"),
            PacketWorth::Invalid(why) => Sayable::from("invalid: ").and("", why),
            PacketWorth::NotNow => Sayable::from("not now"),
        };
        Some(Remark::new("packet-signature", about))
    }

    /// Why it does not let the packet pass, and what would have to be known first. `is_own` tells whether a certificate is
    /// the sender's: a person's, the organisation's or a machine's, for it is software that signs packets.
    pub(super) fn gate(
        &self,
        demand: PacketDemand,
        is_own: impl Fn(&Digest) -> bool,
    ) -> (Option<Refusal>, &[Need]) {
        if demand == PacketDemand::Nothing {
            return (None, &[]);
        }
        let refusal = match self.worth {
            PacketWorth::Absent | PacketWorth::Placeholder if demand == PacketDemand::Sound => {
                Some(Refusal::new(RefusalCode::PacketSignatureMissing))
            }
            PacketWorth::Absent | PacketWorth::Placeholder => None,
            PacketWorth::Valid if self.signers.iter().any(is_own) => None,
            PacketWorth::Valid => {
                Some(Refusal::new(RefusalCode::SignerNotSender).with("attachment", "gói tin (packet)"))
            }
            PacketWorth::Invalid(why) => {
                Some(Refusal::new(RefusalCode::PacketSignatureInvalid).with("indication", why))
            }
            PacketWorth::NotNow => None,
        };
        (refusal, &self.needs)
    }
}

/// What is demanded of whom.
#[derive(Debug, Clone, Default)]
pub struct PacketDemands {
    /// Of everybody who is not named.
    pub usual: PacketDemand,
    /// Of these, by their codes in the settings.
    pub named: Vec<(crate::ids::Code, PacketDemand)>,
}

impl PacketDemands {
    /// Codes in the settings by which no agency is known: nothing is demanded by them.
    pub fn unknown(&self, directory: &crate::directory::Directory, at: Time) -> Vec<&crate::ids::Code> {
        let codes = self.named.iter().map(|(code, _)| code);
        codes
            .filter(|code| directory.by_code(code, at).is_none())
            .collect()
    }

    /// What is demanded of this agency, whatever code it uses now.
    pub fn of(&self, sender: AgencyId, directory: &crate::directory::Directory, at: Time) -> PacketDemand {
        let named = self.named.iter();
        let mut of_sender = named.filter(|(code, _)| directory.by_code(code, at) == Some(sender));
        of_sender.next().map_or(self.usual, |(_, demand)| *demand)
    }
}

#[cfg(test)]
mod tests;
