//! Signatures in parts, and a small time-stamp authority: what `cms::sign` does not make.

use rcgen::CertificateParams;

use super::{Authority, IsCritical, Leaf, extension};
use crate::asn1::{oid, tag, write};
use crate::cms::Signer;
use crate::{Certificate, DigestAlgorithm};

/// A SignedData with one signer, whose key is on P-256, before it is written.
pub(crate) struct Parts {
    pub(crate) content_type: const_oid::ObjectIdentifier,
    /// `None`: detached.
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) certificates: Vec<Vec<u8>>,
    /// RevocationInfoChoices.
    pub(crate) lists: Vec<Vec<u8>>,
    /// SignerInfo from version to signature, each field for itself.
    pub(crate) fields: Vec<Vec<u8>>,
    pub(crate) value: Vec<u8>,
    /// Unsigned attributes.
    pub(crate) unsigned: Vec<Vec<u8>>,
}

impl Parts {
    /// Signs a content of this type with content-type, message-digest and these attributes besides.
    pub(crate) fn sign(
        signer: &Leaf,
        content_type: const_oid::ObjectIdentifier,
        content: &[u8],
        more: &[Vec<u8>],
    ) -> Self {
        let digest = DigestAlgorithm::Sha256.digest(&[content]);
        let mut attributes = vec![
            attribute(
                &oid::ATTRIBUTE_CONTENT_TYPE,
                &write::object_identifier(&content_type),
            ),
            attribute(
                &oid::ATTRIBUTE_MESSAGE_DIGEST,
                &write::element(tag::OCTET_STRING, digest.as_ref()),
            ),
        ];
        attributes.extend_from_slice(more);
        let signed = write::set_of(tag::SET, attributes);
        let value = signer.key.sign(&signed).expect("a value");
        let certificate = &signer.certificate;
        let serial = write::element(tag::INTEGER, certificate.serial());
        let mut implicit = signed;
        implicit[0] = 0xA0;
        let fields = vec![
            vec![tag::INTEGER, 1, 1],
            write::constructed(tag::SEQUENCE, &[certificate.issuer().der(), &serial]),
            algorithm(&oid::DIGEST_SHA256),
            implicit,
            algorithm(match signer.key.algorithm() {
                crate::SignatureAlgorithm::Ecdsa(_) => &oid::ECDSA_SHA256,
                crate::SignatureAlgorithm::RsaPkcs1(_)
                | crate::SignatureAlgorithm::RsaPss(_)
                | crate::SignatureAlgorithm::Ed25519 => &oid::RSA_SHA256,
            }),
            write::element(tag::OCTET_STRING, &value),
        ];
        Self {
            content_type,
            content: None,
            certificates: vec![certificate.der().to_vec()],
            lists: Vec::new(),
            fields,
            value,
            unsigned: Vec::new(),
        }
    }

    /// Signs data, the certificate bound.
    pub(crate) fn of_data(signer: &Leaf, content: &[u8], more: &[Vec<u8>]) -> Self {
        let mut attributes = vec![signing_certificate(&signer.certificate)];
        attributes.extend_from_slice(more);
        Self::sign(signer, oid::CONTENT_DATA, content, &attributes)
    }

    /// Bears this unsigned attribute too.
    pub(crate) fn with(mut self, identifier: &const_oid::ObjectIdentifier, value: &[u8]) -> Self {
        self.unsigned.push(attribute(identifier, value));
        self
    }

    /// Bears this signature-time-stamp too.
    pub(crate) fn stamped(self, token: &[u8]) -> Self {
        self.with(&oid::ATTRIBUTE_TIME_STAMP_TOKEN, token)
    }

    pub(crate) fn signer_info(&self) -> Vec<u8> {
        let unsigned = sequence_or_nothing(0xA1, &self.unsigned);
        write::element(tag::SEQUENCE, &[self.fields.concat(), unsigned].concat())
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        self.encode_with(&self.signer_info())
    }

    /// With other SignerInfos than its own.
    pub(crate) fn encode_with(&self, signer_infos: &[u8]) -> Vec<u8> {
        let content = self
            .content
            .as_ref()
            .map(|content| write::element(0xA0, &write::element(tag::OCTET_STRING, content)));
        let encapsulated = write::constructed(
            tag::SEQUENCE,
            &[
                &write::object_identifier(&self.content_type),
                &content.unwrap_or_default(),
            ],
        );
        let signed_data = write::constructed(
            tag::SEQUENCE,
            &[
                &[tag::INTEGER, 1, 3],
                &write::element(tag::SET, &algorithm(&oid::DIGEST_SHA256)),
                &encapsulated,
                &sequence_or_nothing(0xA0, &self.certificates),
                &sequence_or_nothing(0xA1, &self.lists),
                &write::element(tag::SET, signer_infos),
            ],
        );
        let explicit = write::element(0xA0, &signed_data);
        write::constructed(
            tag::SEQUENCE,
            &[&write::object_identifier(&oid::CONTENT_SIGNED_DATA), &explicit],
        )
    }
}

fn sequence_or_nothing(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    if parts.is_empty() {
        Vec::new()
    } else {
        write::element(tag, &parts.concat())
    }
}

pub(crate) fn algorithm(identifier: &const_oid::ObjectIdentifier) -> Vec<u8> {
    write::element(tag::SEQUENCE, &write::object_identifier(identifier))
}

pub(crate) fn attribute(identifier: &const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::constructed(
        tag::SEQUENCE,
        &[
            &write::object_identifier(identifier),
            &write::element(tag::SET, value),
        ],
    )
}

/// The attribute signing-certificate-v2 with nothing but SHA-256 of the certificate.
pub(crate) fn signing_certificate(certificate: &Certificate) -> Vec<u8> {
    let digest = write::element(tag::OCTET_STRING, certificate.fingerprint().as_bytes());
    let reference = write::element(tag::SEQUENCE, &digest);
    let value = write::element(tag::SEQUENCE, &write::element(tag::SEQUENCE, &reference));
    attribute(&oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2, &value)
}

impl Authority {
    /// A time-stamp authority.
    pub(crate) fn time_stamper(&self, serial: u64) -> Leaf {
        self.changed_leaf("Time", serial, &|params| {
            stamps(params, &[&oid::PURPOSE_TIME_STAMPING], IsCritical::Yes);
        })
    }
}

/// Gives a certificate these purposes.
pub(crate) fn stamps(
    params: &mut CertificateParams,
    purposes: &[&const_oid::ObjectIdentifier],
    is_critical: IsCritical,
) {
    let purposes: Vec<u8> = purposes
        .iter()
        .flat_map(|purpose| write::object_identifier(purpose))
        .collect();
    let purposes = write::element(tag::SEQUENCE, &purposes);
    params
        .custom_extensions
        .push(extension(&[2, 5, 29, 37], &purposes, is_critical));
}

/// A TSTInfo before it is written.
#[derive(Clone)]
pub(crate) struct Stamp {
    pub(crate) version: u8,
    pub(crate) imprint_algorithm: const_oid::ObjectIdentifier,
    pub(crate) imprint: Vec<u8>,
    /// The content of the GeneralizedTime.
    pub(crate) time: String,
    /// What follows genTime, each as it stands.
    pub(crate) rest: Vec<Vec<u8>>,
}

impl Stamp {
    /// Over these octets, at this time.
    pub(crate) fn over(data: &[u8], time: &str) -> Self {
        Self {
            version: 1,
            imprint_algorithm: oid::DIGEST_SHA256,
            imprint: DigestAlgorithm::Sha256.digest(&[data]).as_ref().to_vec(),
            time: time.to_owned(),
            rest: Vec::new(),
        }
    }

    /// With this after genTime.
    pub(crate) fn with(mut self, part: Vec<u8>) -> Self {
        self.rest.push(part);
        self
    }

    pub(crate) fn info(&self) -> Vec<u8> {
        let imprint = write::constructed(
            tag::SEQUENCE,
            &[
                &algorithm(&self.imprint_algorithm),
                &write::element(tag::OCTET_STRING, &self.imprint),
            ],
        );
        write::constructed(
            tag::SEQUENCE,
            &[
                &[tag::INTEGER, 1, self.version],
                &write::object_identifier(&oid::PURPOSE_ANY),
                &imprint,
                &[tag::INTEGER, 1, 42],
                &write::element(tag::GENERALIZED_TIME, self.time.as_bytes()),
                &self.rest.concat(),
            ],
        )
    }

    /// The token in parts, signed with its certificate bound.
    pub(crate) fn parts(&self, authority: &Leaf) -> Parts {
        let bound = [signing_certificate(&authority.certificate)];
        let mut parts = Parts::sign(authority, oid::CONTENT_TST_INFO, &self.info(), &bound);
        parts.content = Some(self.info());
        parts
    }

    pub(crate) fn sign(&self, authority: &Leaf) -> Vec<u8> {
        self.parts(authority).encode()
    }
}
