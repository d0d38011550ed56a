//! What is good enough, and how much work a verdict may cost.
//!
//! Stands beside `snapshot`, which carries one policy; `cms`, `path` and `crl` ask it.
//!
//! **Invariant**: the default refuses what is not known to be good; nothing is allowed by leaving it out.

use crate::algorithm::{DigestAlgorithm, KeyKind, SignatureAlgorithm};
use crate::digest::Digest;
use crate::time::Time;

/// 2017-01-01T00:00:00+07:00.
const SHA1_END: Time = Time::from_seconds(1_483_203_600);
/// 2014-01-01T00:00:00+07:00.
const RSA_1024_END: Time = Time::from_seconds(1_388_509_200);

/// How long something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// At no time.
    Never,
    /// At a best-signature-time before this one.
    Until(Time),
    /// Without an end that is known today.
    Always,
}

impl Limit {
    fn holds_at(self, at: Time) -> bool {
        match self {
            Self::Never => false,
            Self::Until(end) => at < end,
            Self::Always => true,
        }
    }
}

/// Until when digests and keys are trusted (ETSI EN 319 102-1, cryptographic constraints).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgorithmPolicy {
    /// SHA-1 wherever a signature begins with it.
    pub sha1: Limit,
    /// SHA-256, SHA-384 and SHA-512.
    pub sha2: Limit,
    /// RSA moduli of at least so many bits, ascending; a modulus below the first is never allowed.
    pub rsa_bits: Vec<(u32, Limit)>,
    /// The curves P-256, P-384 and P-521, and Ed25519.
    pub curves: Limit,
}

impl AlgorithmPolicy {
    /// Whether a signature of this algorithm and key may be believed at this time.
    pub fn permits(&self, algorithm: SignatureAlgorithm, key: KeyKind, at: Time) -> bool {
        self.permits_digest(algorithm.digest(), at) && self.permits_key(key, at)
    }

    /// Whether a digest may be believed at this time.
    pub fn permits_digest(&self, digest: DigestAlgorithm, at: Time) -> bool {
        match digest {
            DigestAlgorithm::Sha1 => self.sha1.holds_at(at),
            DigestAlgorithm::Sha256 | DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512 => {
                self.sha2.holds_at(at)
            }
        }
    }

    fn permits_key(&self, key: KeyKind, at: Time) -> bool {
        match key {
            KeyKind::Rsa(bits) => {
                let limits = self.rsa_bits.iter().filter(|(bits_min, _)| *bits_min <= bits);
                limits
                    .max_by_key(|(bits_min, _)| *bits_min)
                    .is_some_and(|(_, limit)| limit.holds_at(at))
            }
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519 => {
                self.curves.holds_at(at)
            }
            KeyKind::Unknown => false,
        }
    }
}

/// What is demanded of signatures, and the budgets of one verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Algorithms and key sizes with their end dates.
    pub algorithms: AlgorithmPolicy,
    /// How far the clocks of issuers may run ahead of ours, in seconds.
    pub clock_skew_seconds: i64,
    /// How old an OCSP answer may be that does not say when there is a newer one (nextUpdate), in seconds.
    pub ocsp_age_seconds_max: i64,
    /// Whether an OCSP responder whose certificate names no place where its own revocation could be asked must be proven
    /// not to be revoked all the same (RFC 6960 §4.2.2.2.1 leaves that to local policy).
    pub is_silent_responder_asked: bool,
    /// OCSP responders that the operator trusts to answer for every issuer, by the fingerprints of their certificates, which
    /// must be at hand (RFC 6960 §4.2.2.2, point 1).
    pub ocsp_responders: Vec<Digest>,
    /// Whether status information that was current at a proven past time, but made before it, settles the certificate of a
    /// signer that has expired since. Whoever shows it may have chosen it. That of a time-stamp's authority it settles.
    pub may_status_precede_proof: bool,
    /// How old a list or an answer that came with a signature may be to settle a certificate that lasts, in seconds: the
    /// sender chose it. An older one can only revoke; what is at hand otherwise, or fetched, settles the rest.
    pub beside_age_seconds_max: i64,
    /// Public-key operations that one CMS may cost with all its signers (as `webpki` limits those of one path).
    pub signature_checks_max: u32,
    /// Certificates of a path, leaf and anchor included.
    pub path_certificates_max: usize,
    /// Objects of one PDF file that are read, those inside others and the entries of its cross-reference sections
    /// included; one costs about 60 octets of memory.
    pub pdf_objects_max: usize,
}

impl Default for AlgorithmPolicy {
    /// What ended counts only with a proof that it existed before: SHA-1 until the year of its first public collision
    /// (2017), RSA of 1024 bits until the end of 2013 (NIST SP 800-131A).
    fn default() -> Self {
        Self {
            sha1: Limit::Until(SHA1_END),
            sha2: Limit::Always,
            rsa_bits: vec![
                (1024, Limit::Until(RSA_1024_END)),
                (2048, Limit::Always),
                (3072, Limit::Always),
            ],
            curves: Limit::Always,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            algorithms: AlgorithmPolicy::default(),
            clock_skew_seconds: 300,
            ocsp_age_seconds_max: 600,
            is_silent_responder_asked: true,
            ocsp_responders: Vec::new(),
            may_status_precede_proof: false,
            beside_age_seconds_max: 86_400,
            signature_checks_max: 100,
            path_certificates_max: 8,
            pdf_objects_max: 2_000_000,
        }
    }
}

impl Policy {
    /// For checks of integrity alone, without any claim of trust: every algorithm of the registry is allowed.
    pub fn every_algorithm() -> Self {
        let algorithms = AlgorithmPolicy {
            sha1: Limit::Always,
            sha2: Limit::Always,
            rsa_bits: vec![(1024, Limit::Always)],
            curves: Limit::Always,
        };
        Self {
            algorithms,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_algorithms_are_refused_by_default() {
        let policy = Policy::default().algorithms;
        let now = Time::from_seconds(1_800_000_000);
        let rsa = SignatureAlgorithm::RsaPkcs1;
        assert!(policy.permits(rsa(DigestAlgorithm::Sha256), KeyKind::Rsa(2048), now));
        assert!(!policy.permits(rsa(DigestAlgorithm::Sha1), KeyKind::Rsa(2048), now));
        assert!(!policy.permits(rsa(DigestAlgorithm::Sha256), KeyKind::Rsa(2047), now));
        assert!(!policy.permits(SignatureAlgorithm::Ed25519, KeyKind::Unknown, now));
    }

    #[test]
    fn an_end_date_ends() {
        let end = Time::from_seconds(1000);
        let policy = AlgorithmPolicy {
            sha1: Limit::Until(end),
            sha2: Limit::Until(end.plus_seconds(1)),
            rsa_bits: vec![(1024, Limit::Until(end)), (2048, Limit::Always)],
            curves: Limit::Always,
        };
        let weak = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha1);
        assert!(policy.permits(weak, KeyKind::Rsa(1024), Time::from_seconds(999)));
        assert!(!policy.permits(weak, KeyKind::Rsa(1024), end));
        let strong = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
        assert!(policy.permits(strong, KeyKind::Rsa(4096), end));
        assert!(!policy.permits(strong, KeyKind::Rsa(4096), end.plus_seconds(1)));
    }

    #[test]
    fn what_ended_is_believed_of_the_time_before_only() {
        let policy = AlgorithmPolicy::default();
        let sha1 = |bits, at| {
            let algorithm = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha1);
            policy.permits(algorithm, KeyKind::Rsa(bits), at)
        };
        assert!(sha1(2048, SHA1_END.plus_seconds(-1)) && !sha1(2048, SHA1_END));
        assert!(sha1(1024, RSA_1024_END.plus_seconds(-1)) && !sha1(1024, RSA_1024_END));
        assert!(!sha1(1023, Time::from_seconds(0)));
        assert_eq!(SHA1_END.to_string(), "2016-12-31T17:00:00Z");
        assert_eq!(RSA_1024_END.to_string(), "2013-12-31T17:00:00Z");
    }
}
