//! ASN.1 as certificates, revocation lists and signatures write it.
//!
//! Stands under `x509`, `crl`, `ocsp` and `cms`. One strict DER reader serves all of them, so that no two readers can differ
//! about the same bytes; BER is first brought into DER by [`Normal`], and nobody else ever sees BER.
//!
//! **Invariant**: the reader borrows; what it hands out are slices of the very input, so a range that is hashed is the
//! range that was read.
//! **Invariant**: every length is checked before it is used, and every structure is read to its last octet.

mod ber;
mod read;
pub(crate) mod write;

pub(crate) use ber::{Limits, Normal};
pub(crate) use read::{Element, Reader, check_integer, read_boolean, read_time};

/// Why bytes are not the ASN.1 they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Asn1Fault {
    /// The input ends inside an element.
    #[error("the ASN.1 input ends inside an element")]
    Truncated,
    /// A length that is not minimal, is indefinite where DER is needed, or does not fit.
    #[error("an ASN.1 length is malformed")]
    Length,
    /// A tag that is malformed or longer than is read here.
    #[error("an ASN.1 tag is malformed")]
    Tag,
    /// Another element than the structure asks for.
    #[error("an ASN.1 element is not the one that belongs there")]
    Unexpected,
    /// Octets are left over behind a structure.
    #[error("octets are left over behind an ASN.1 structure")]
    Trailing,
    /// A value that its type does not allow (a boolean that is neither 00 nor FF, a date that does not exist).
    #[error("an ASN.1 value is not allowed by its type")]
    Value,
    /// Elements nested deeper than the limit.
    #[error("ASN.1 elements are nested too deep")]
    Depth,
    /// More octets or elements than the limit.
    #[error("the ASN.1 input is too large")]
    Size,
}

/// Tag octets of the elements that are read here (X.690 §8.1.2; every one fits into one octet).
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0A;
    pub(crate) const UTF8_STRING: u8 = 0x0C;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const VISIBLE_STRING: u8 = 0x1A;
    pub(crate) const BMP_STRING: u8 = 0x1E;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[number]`, primitive, as IMPLICIT tagging of a primitive type writes it.
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]`, constructed, as EXPLICIT tagging and IMPLICIT tagging of a constructed type write it.
    pub(crate) const fn context_constructed(number: u8) -> u8 {
        0xA0 | number
    }
}

/// Object identifiers that are known here, as the content octets of their DER.
pub(crate) mod oid {
    use const_oid::ObjectIdentifier;

    macro_rules! known {
        ($($(#[$about:meta])* $name:ident = $text:literal;)*) => {
            $($(#[$about])* pub(crate) const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($text);)*
        };
    }

    known! {
        CONTENT_DATA = "1.2.840.113549.1.7.1";
        CONTENT_SIGNED_DATA = "1.2.840.113549.1.7.2";
        /// RFC 3161 §2.4.2.
        CONTENT_TST_INFO = "1.2.840.113549.1.9.16.1.4";
        ATTRIBUTE_CONTENT_TYPE = "1.2.840.113549.1.9.3";
        ATTRIBUTE_MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
        ATTRIBUTE_SIGNING_TIME = "1.2.840.113549.1.9.5";
        ATTRIBUTE_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12";
        ATTRIBUTE_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
        ATTRIBUTE_TIME_STAMP_TOKEN = "1.2.840.113549.1.9.16.2.14";
        ATTRIBUTE_COUNTER_SIGNATURE = "1.2.840.113549.1.9.6";
        /// ETSI EN 319 122-1 §5.2.8, §5.4.1 to §5.4.3, §5.5.2, §5.5.3.
        ATTRIBUTE_CONTENT_TIME_STAMP = "1.2.840.113549.1.9.16.2.20";
        ATTRIBUTE_CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23";
        ATTRIBUTE_REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24";
        ATTRIBUTE_ATS_HASH_INDEX_V3 = "0.4.0.19122.1.5";
        ATTRIBUTE_ARCHIVE_TIME_STAMP_V3 = "0.4.0.1733.2.4";
        /// Proofs of older kinds (ETSI EN 319 122-1 annex A, TS 101 733) and evidence records (RFC 4998): not read here.
        ATTRIBUTE_ESC_TIME_STAMP = "1.2.840.113549.1.9.16.2.25";
        ATTRIBUTE_CERT_CRL_TIME_STAMP = "1.2.840.113549.1.9.16.2.26";
        ATTRIBUTE_ARCHIVE_TIME_STAMP = "1.2.840.113549.1.9.16.2.27";
        ATTRIBUTE_ARCHIVE_TIME_STAMP_V2 = "1.2.840.113549.1.9.16.2.48";
        ATTRIBUTE_EVIDENCE_RECORD_INTERNAL = "1.2.840.113549.1.9.16.2.49";
        ATTRIBUTE_EVIDENCE_RECORD_EXTERNAL = "1.2.840.113549.1.9.16.2.50";
        /// adbe-revocationInfoArchival (ISO 32000-2 §12.8.3.3.2).
        ATTRIBUTE_ADBE_REVOCATION = "1.2.840.113583.1.1.8";
        /// id-ri-ocsp-response (RFC 5940 §2.1) and id-pkix-ocsp-basic (RFC 6960 §4.2.1).
        REVOCATION_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2";
        OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1";
        DIGEST_SHA1 = "1.3.14.3.2.26";
        DIGEST_SHA256 = "2.16.840.1.101.3.4.2.1";
        DIGEST_SHA384 = "2.16.840.1.101.3.4.2.2";
        DIGEST_SHA512 = "2.16.840.1.101.3.4.2.3";
        RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
        RSA_SHA1 = "1.2.840.113549.1.1.5";
        RSA_MGF1 = "1.2.840.113549.1.1.8";
        RSA_PSS = "1.2.840.113549.1.1.10";
        RSA_SHA256 = "1.2.840.113549.1.1.11";
        RSA_SHA384 = "1.2.840.113549.1.1.12";
        RSA_SHA512 = "1.2.840.113549.1.1.13";
        EC_PUBLIC_KEY = "1.2.840.10045.2.1";
        EC_P256 = "1.2.840.10045.3.1.7";
        EC_P384 = "1.3.132.0.34";
        EC_P521 = "1.3.132.0.35";
        ECDSA_SHA1 = "1.2.840.10045.4.1";
        ECDSA_SHA256 = "1.2.840.10045.4.3.2";
        ECDSA_SHA384 = "1.2.840.10045.4.3.3";
        ECDSA_SHA512 = "1.2.840.10045.4.3.4";
        ED25519 = "1.3.101.112";
        SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
        KEY_USAGE = "2.5.29.15";
        SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
        ISSUER_ALTERNATIVE_NAME = "2.5.29.18";
        BASIC_CONSTRAINTS = "2.5.29.19";
        CRL_NUMBER = "2.5.29.20";
        DELTA_CRL_INDICATOR = "2.5.29.27";
        FRESHEST_CRL = "2.5.29.46";
        /// RFC 6211.
        ATTRIBUTE_ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52";
        /// RFC 5126 §5.8.1.
        ATTRIBUTE_SIGNATURE_POLICY = "1.2.840.113549.1.9.16.2.15";
        CERTIFICATE_POLICIES = "2.5.29.32";
        ANY_POLICY = "2.5.29.32.0";
        INHIBIT_ANY_POLICY = "2.5.29.54";
        INVALIDITY_DATE = "2.5.29.24";
        CERTIFICATE_ISSUER = "2.5.29.29";
        CRL_REASON = "2.5.29.21";
        ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
        NAME_CONSTRAINTS = "2.5.29.30";
        CRL_DISTRIBUTION_POINTS = "2.5.29.31";
        POLICY_MAPPINGS = "2.5.29.33";
        AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
        POLICY_CONSTRAINTS = "2.5.29.36";
        EXTENDED_KEY_USAGE = "2.5.29.37";
        AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1";
        ACCESS_CA_ISSUERS = "1.3.6.1.5.5.7.48.2";
        ACCESS_OCSP = "1.3.6.1.5.5.7.48.1";
        OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2";
        NAME_SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9";
        OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5";
        PURPOSE_ANY = "2.5.29.37.0";
        PURPOSE_TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
        PURPOSE_OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
        PURPOSE_CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";
        PURPOSE_EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
        /// RFC 9336.
        PURPOSE_DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36";
        PURPOSE_MICROSOFT_DOCUMENT_SIGNING = "1.3.6.1.4.1.311.10.3.12";
        PURPOSE_ADOBE_DOCUMENT_SIGNING = "1.2.840.113583.1.1.5";
        NAME_COMMON_NAME = "2.5.4.3";
        NAME_SERIAL_NUMBER = "2.5.4.5";
        NAME_COUNTRY = "2.5.4.6";
        NAME_LOCALITY = "2.5.4.7";
        NAME_STATE = "2.5.4.8";
        NAME_ORGANIZATION = "2.5.4.10";
        NAME_ORGANIZATIONAL_UNIT = "2.5.4.11";
        NAME_EMAIL = "1.2.840.113549.1.9.1";
        NAME_USER_ID = "0.9.2342.19200300.100.1.1";
        NAME_DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25";
    }
}
