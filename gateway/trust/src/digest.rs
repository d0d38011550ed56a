//! The name of bytes: their SHA-256.
//!
//! Stands under everything that keeps or compares originals: archive, journal, identities of documents, fingerprints
//! of certificates.
//!
//! **Invariant**: a `Digest` is always SHA-256; other algorithms occur only inside signatures (`algorithm`).

use std::fmt;
use std::str::FromStr;

/// A SHA-256 digest (FIPS 180-4). Shown and read as 64 hexadecimal digits, lower case when written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest in hexadecimal")]
pub struct DigestFault;

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        Self(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }

    /// A digest computed elsewhere (while streaming) or read back from where it was kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a fingerprint as people copy it from other tools: 64 hexadecimal digits, with or without colons or blanks
    /// between them.
    ///
    /// # Errors
    /// Anything else.
    pub fn from_fingerprint(text: &str) -> Result<Self, DigestFault> {
        let digits = text
            .chars()
            .filter(|digit| *digit != ':' && !digit.is_whitespace());
        digits.collect::<String>().parse()
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0_u8; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).expect("hexadecimal digits are ASCII"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestFault;

    fn from_str(text: &str) -> Result<Self, DigestFault> {
        let text = text.as_bytes();
        if text.len() != 64 {
            return Err(DigestFault);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = (hex_value(pair[0]).ok_or(DigestFault)? << 4) | hex_value(pair[1]).ok_or(DigestFault)?;
        }
        Ok(Self(bytes))
    }
}

/// What stands in [`HEX_VALUES`] for an octet that is no digit: no value of a digit has bits in common with its upper half.
pub(crate) const NO_DIGIT: u8 = 0xFF;

/// The value of each hexadecimal digit of either case.
pub(crate) const HEX_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value: u8 = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// The value of one hexadecimal digit of either case.
pub(crate) fn hex_value(digit: u8) -> Option<u8> {
    let value = HEX_VALUES[usize::from(digit)];
    (value != NO_DIGIT).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(Digest::of(b"")));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "e3", &"g".repeat(64), &"0".repeat(63)] {
            assert_eq!(text.parse::<Digest>(), Err(DigestFault));
        }
    }

    #[test]
    fn a_fingerprint_is_read_as_other_tools_write_it() {
        let digest = Digest::of(b"a certificate");
        let plain = digest.to_string().to_uppercase();
        let pairs: Vec<&str> = (0..32).map(|place| &plain[2 * place..2 * place + 2]).collect();
        for text in [plain.clone(), pairs.join(":"), format!(" {} \n", pairs.join(" "))] {
            assert_eq!(Digest::from_fingerprint(&text), Ok(digest));
        }
        assert_eq!(Digest::from_fingerprint(&pairs[1..].join(":")), Err(DigestFault));
        assert_eq!(pairs.join("-").parse::<Digest>(), Err(DigestFault));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(bytes: [u8; 32]) {
            let digest = Digest::from_bytes(bytes);
            prop_assert_eq!(digest.to_string().parse(), Ok(digest));
        }
    }
}
