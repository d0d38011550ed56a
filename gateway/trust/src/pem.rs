//! PEM blocks (RFC 7468): certificates, revocation lists and keys as files carry them.
//!
//! **Invariant**: a block that is not wholly well-formed is not there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The decoded blocks of this label, in the order of the text; what stands between them is ignored.
pub(crate) fn blocks(text: &[u8], label: &str) -> Vec<Vec<u8>> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(start) = memchr::memmem::find(rest, begin.as_bytes()) {
        rest = &rest[start + begin.len()..];
        let Some(length) = memchr::memmem::find(rest, end.as_bytes()) else {
            break;
        };
        let digits: Vec<u8> = rest[..length]
            .iter()
            .copied()
            .filter(|octet| !octet.is_ascii_whitespace())
            .collect();
        if let Ok(block) = STANDARD.decode(digits) {
            blocks.push(block);
        }
        rest = &rest[length + end.len()..];
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_among_other_text() {
        let text =
            b"about\n-----BEGIN X-----\nAQID\n-----END X-----\n-----BEGIN Y-----\nBA==\n-----END Y-----\n";
        assert_eq!(blocks(text, "X"), [vec![1, 2, 3]]);
        assert_eq!(blocks(text, "Y"), [vec![4]]);
        assert!(blocks(b"-----BEGIN X-----\nAQID", "X").is_empty());
    }
}
