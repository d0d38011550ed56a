//! What the verdict on a signature means for the document that it gates: one table, published as
//! `schemas/validation-policy.md`.
//!
//! **Invariant:** every sub-indication of ETSI EN 319 102-1 has one consequence, said here and nowhere else, whether
//! `trust` gives it or not; only TOTAL-PASSED lets a document pass, and only TRY_LATER lets it wait.

use trust::policy::{AlgorithmPolicy, Limit};
use trust::{Indication, Policy, SubIndication};

use crate::refusal::RefusalCode;

/// What follows from an indication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The signature stands in no document's way.
    Pass,
    /// The document is refused for this reason.
    Refuse(RefusalCode),
    /// The document is held until more is known.
    Hold,
}

/// What follows from an indication for the document that its signature gates.
pub fn consequence(indication: Indication) -> Consequence {
    match indication {
        Indication::TotalPassed => Consequence::Pass,
        Indication::TotalFailed(why) | Indication::Indeterminate(why) => of_failure(why),
    }
}

fn of_failure(why: SubIndication) -> Consequence {
    use SubIndication as Sub;
    match why {
        Sub::TryLater => Consequence::Hold,
        Sub::Revoked | Sub::RevokedNoPoe => Consequence::Refuse(RefusalCode::SignerRevoked),
        Sub::NoCertificateChainFound => Consequence::Refuse(RefusalCode::SignerUntrusted),
        Sub::FormatFailure
        | Sub::HashFailure
        | Sub::SigCryptoFailure
        | Sub::Expired
        | Sub::NotYetValid
        | Sub::SigConstraintsFailure
        | Sub::ChainConstraintsFailure
        | Sub::CertificateChainGeneralFailure
        | Sub::CryptoConstraintsFailure
        | Sub::CryptoConstraintsFailureNoPoe
        | Sub::PolicyProcessingError
        | Sub::OutOfBoundsNoPoe
        | Sub::OutOfBoundsNotRevoked
        | Sub::RevokedCaNoPoe
        | Sub::NoPoe
        | Sub::NoSigningCertificateFound
        | Sub::SignaturePolicyNotAvailable
        | Sub::SignedDataNotFound
        | Sub::TimestampOrderFailure => Consequence::Refuse(RefusalCode::SignatureInvalid),
    }
}

/// Whether nothing that may come to be known changes it (table 5 of the standard).
fn is_final(why: SubIndication) -> bool {
    match why {
        SubIndication::FormatFailure
        | SubIndication::HashFailure
        | SubIndication::SigCryptoFailure
        | SubIndication::Revoked
        | SubIndication::Expired
        | SubIndication::NotYetValid => true,
        SubIndication::SigConstraintsFailure
        | SubIndication::ChainConstraintsFailure
        | SubIndication::CertificateChainGeneralFailure
        | SubIndication::CryptoConstraintsFailure
        | SubIndication::CryptoConstraintsFailureNoPoe
        | SubIndication::PolicyProcessingError
        | SubIndication::OutOfBoundsNoPoe
        | SubIndication::OutOfBoundsNotRevoked
        | SubIndication::RevokedNoPoe
        | SubIndication::RevokedCaNoPoe
        | SubIndication::NoPoe
        | SubIndication::NoSigningCertificateFound
        | SubIndication::NoCertificateChainFound
        | SubIndication::SignaturePolicyNotAvailable
        | SubIndication::SignedDataNotFound
        | SubIndication::TimestampOrderFailure
        | SubIndication::TryLater => false,
    }
}

/// The table as it is published, with freshness, skew and the ends of algorithms by the default policy.
pub fn published() -> String {
    let mut text = String::from(HEAD);
    let row = |indication: &str, why: &str, consequence| {
        let (outcome, code) = match consequence {
            Consequence::Pass => ("chấp nhận / pass", "-"),
            Consequence::Hold => ("chờ / hold", "-"),
            Consequence::Refuse(code) => ("từ chối / refuse", code.word()),
        };
        format!("| {indication} | {why} | {outcome} | {code} |\n")
    };
    text += &row("TOTAL-PASSED", "-", consequence(Indication::TotalPassed));
    for why in SubIndication::ALL {
        let indication = if is_final(why) {
            "TOTAL-FAILED"
        } else {
            "INDETERMINATE"
        };
        text += &row(indication, why.name(), of_failure(why));
    }
    text += &ends(&Policy::default().algorithms);
    text += &times(&Policy::default());
    text
}

const HEAD: &str = "# Chính sách kiểm tra chữ ký / signature validation policy

Bảng này do chương trình sinh ra từ mã nguồn / this page is written by the source code itself; a test holds them equal.

## Kết luận và hệ quả / indications and what follows

Theo ETSI EN 319 102-1, cho chữ ký trên văn bản chính / by ETSI EN 319 102-1, for signatures of the main document.

| indication | sub-indication | hệ quả / outcome | mã / code |
|---|---|---|---|
";

fn ends(algorithms: &AlgorithmPolicy) -> String {
    let mut text = String::from(
        "
## Thời hạn thuật toán / ends of algorithms

Sau ngày này chỉ tin khi có bằng chứng tồn tại trước đó (dấu thời gian) / from that day on believed only with a proof of
existence before it (a time-stamp). `[trust.policy]`.

| thuật toán / algorithm | đến / until |
|---|---|
",
    );
    let until = |limit: Limit| match limit {
        Limit::Never => "không dùng / never".to_owned(),
        Limit::Always => "chưa định / no end yet".to_owned(),
        Limit::Until(end) => end.to_string(),
    };
    let mut row = |name: &str, limit| text += &format!("| {name} | {} |\n", until(limit));
    row("SHA-1", algorithms.sha1);
    row("SHA-256, SHA-384, SHA-512", algorithms.sha2);
    let mut sizes = algorithms.rsa_bits.iter().peekable();
    while let Some((bits, limit)) = sizes.next() {
        let below = sizes
            .peek()
            .map_or_else(|| "…".to_owned(), |(next, _)| (next - 1).to_string());
        row(&format!("RSA {bits} – {below}"), *limit);
    }
    row("P-256, P-384, P-521, Ed25519", algorithms.curves);
    text += "
Dấu thời gian trên một chữ ký chứng minh cho chữ ký và chứng thư người ký, không cho chứng thư của nơi cấp: các chứng thư ấy
xét theo hôm nay / a time-stamp over a signature proves the age of the signature and of its signer's certificate, not of those
of the authorities above: these are held to today's limits.
";
    text
}

fn times(policy: &Policy) -> String {
    let Policy {
        clock_skew_seconds,
        ocsp_age_seconds_max,
        beside_age_seconds_max,
        ..
    } = policy;
    format!(
        "
## Độ mới của trạng thái thu hồi / freshness of revocation status

| điều kiện / condition | giá trị / value |
|---|---|
| lệch đồng hồ cho phép / clock skew | {clock_skew_seconds} s |
| chứng thư còn hạn: CRL, OCSP phải còn hiệu lực lúc kiểm tra / a certificate that lasts: list or answer current at validation | thisUpdate ≤ now + skew, now ≤ nextUpdate |
| OCSP không có nextUpdate / an answer without nextUpdate | {ocsp_age_seconds_max} s after thisUpdate |
| bằng chứng do bên gửi kèm theo / what came with the signature | {beside_age_seconds_max} s after thisUpdate |
| chứng thư người ký đã hết hạn, có bằng chứng tồn tại / a signer's expired since, existence proven | best-signature-time ≤ thisUpdate ≤ notAfter |
| chứng thư của nơi cấp dấu thời gian đã hết hạn, có bằng chứng / a time-stamp authority's expired since, existence proven | + thisUpdate ≤ best-signature-time ≤ nextUpdate |
| đã thu hồi (không phải tạm giữ) / revoked, no hold | luôn có hiệu lực / always heard |
| unknown, quá hạn, không lấy được / unknown, stale, unreachable | TRY_LATER |
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &str = include_str!("../../../../schemas/validation-policy.md");

    #[test]
    fn the_published_table_is_what_the_code_does() {
        assert_eq!(
            published(),
            PUBLISHED,
            "write it anew with what stands on the left"
        );
    }

    #[test]
    fn nothing_but_a_pass_lets_pass_and_only_later_waits() {
        for why in SubIndication::ALL {
            for indication in [Indication::TotalFailed(why), Indication::Indeterminate(why)] {
                let follows = consequence(indication);
                assert_ne!(follows, Consequence::Pass, "{why:?}");
                assert_eq!(
                    follows == Consequence::Hold,
                    why == SubIndication::TryLater,
                    "{why:?}"
                );
            }
        }
    }
}
