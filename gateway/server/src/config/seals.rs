//! `[exchange.seals]`: what is demanded of the seals of a packet beside being good.

use domain::ids::Code;
use domain::verify::{LegalValueDemand, PacketDemand, PacketDemands, SealDemands};
use toml::Value;

use super::fault::Problem;
use super::reader::Section;

/// The keys are these:
/// `legal_value`: of those over the main document. Default `nothing`.
/// `packet_signature`: of the packet's own, of everybody who is not named. Default `nothing`.
/// `packet_signature_of`: of these agencies, by code.
pub(super) fn read(mut section: Section<'_>) -> SealDemands {
    let legal_value = section.choice(
        "legal_value",
        &LegalValueDemand::WORDS,
        LegalValueDemand::default(),
    );
    let usual = section.choice("packet_signature", &PacketDemand::WORDS, PacketDemand::default());
    let named = named(&mut section);
    section.end();
    SealDemands {
        packet: PacketDemands { usual, named },
        legal_value,
    }
}

fn named(section: &mut Section<'_>) -> Vec<(Code, PacketDemand)> {
    const KEY: &str = "packet_signature_of";
    let mut named = Vec::new();
    for (code, word) in section.inner(KEY).unwrap_or_default() {
        let demand = PacketDemand::WORDS
            .iter()
            .find(|(known, _)| word.as_str() == Some(*known));
        match (Code::parse(&code), demand) {
            (Ok(code), Some((_, demand))) => named.push((code, *demand)),
            (Err(_), _) => section.fault(KEY, value("codes of agencies", code)),
            (Ok(_), None) => {
                let words = PacketDemand::WORDS.map(|(word, _)| word).join(" | ");
                section.fault(KEY, value(&words, found(&word)));
            }
        }
    }
    named
}

fn value(wanted: &str, found: String) -> Problem {
    Problem::Value {
        wanted: wanted.to_owned(),
        found,
    }
}

fn found(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
