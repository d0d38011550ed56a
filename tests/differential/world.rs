//! A root, authorities in a row below it, leaves below the last, and revocation lists, each spoilt or not by chance.

use harness::chance::Chance;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DistinguishedName,
    DnType, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, NameConstraints,
    RevocationReason, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

/// The time at which all is judged: 2026-06-15.
pub(crate) const AT: i64 = 1_781_481_600;

/// One in so many certificates is spoilt in the first place.
const SPOILT: u64 = 4;

/// What makes a certificate special. Some of them spoil it, some only together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twist {
    Expired,
    NotYetValid,
    NotAuthority,
    NoCertificateSigning,
    NoListSigning,
    PathLength(u8),
    UnknownCritical,
    UnknownNotCritical,
    ForeignKey,
    PermitMailbox,
    ExcludeMailbox,
    PermitHost,
    ExcludeHost,
    PermitAddress,
    PermitDirectory,
    ExcludeDirectory,
    PolicyOne,
    PolicyOther,
    PolicyAny,
    MapOneToOther,
    RequireExplicit(u8),
    InhibitMapping,
    InhibitAny,
    MailboxInside,
    MailboxOutside,
    HostInside,
    HostOutside,
    AddressInside,
    AddressOutside,
    FlippedBit,
    Revoked,
    ListAbsent,
    ListStale,
    ListOfForeignKey,
}

/// Those of authorities.
const OF_AUTHORITIES: &[Twist] = &[
    Twist::Expired,
    Twist::NotYetValid,
    Twist::NotAuthority,
    Twist::NoCertificateSigning,
    Twist::NoListSigning,
    Twist::PathLength(0),
    Twist::PathLength(1),
    Twist::UnknownCritical,
    Twist::UnknownNotCritical,
    Twist::ForeignKey,
    Twist::PermitMailbox,
    Twist::ExcludeMailbox,
    Twist::PermitHost,
    Twist::ExcludeHost,
    Twist::PermitAddress,
    Twist::PermitDirectory,
    Twist::ExcludeDirectory,
    Twist::PolicyOne,
    Twist::PolicyAny,
    Twist::MapOneToOther,
    Twist::RequireExplicit(0),
    Twist::RequireExplicit(1),
    Twist::InhibitMapping,
    Twist::InhibitAny,
    Twist::FlippedBit,
    Twist::Revoked,
    Twist::ListAbsent,
    Twist::ListStale,
    Twist::ListOfForeignKey,
];

/// Those of leaves.
const OF_LEAVES: &[Twist] = &[
    Twist::Expired,
    Twist::NotYetValid,
    Twist::UnknownCritical,
    Twist::UnknownNotCritical,
    Twist::ForeignKey,
    Twist::PolicyOne,
    Twist::PolicyOther,
    Twist::PolicyAny,
    Twist::RequireExplicit(0),
    Twist::MailboxInside,
    Twist::MailboxOutside,
    Twist::HostInside,
    Twist::HostOutside,
    Twist::AddressInside,
    Twist::AddressOutside,
    Twist::FlippedBit,
    Twist::Revoked,
];

/// A leaf, and what is special about it.
pub(crate) struct Leaf {
    pub(crate) der: Vec<u8>,
    pub(crate) twists: Vec<Twist>,
}

/// All that one question is about, in DER.
pub(crate) struct World {
    pub(crate) root: Vec<u8>,
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) lists: Vec<Vec<u8>>,
    pub(crate) leaves: Vec<Leaf>,
    /// What is special about the authorities, from the root down.
    pub(crate) twists: Vec<Vec<Twist>>,
    pub(crate) is_policy_explicit: bool,
}

/// An authority that certifies.
struct Authority {
    name: DistinguishedName,
    issuer: Issuer<'static, KeyPair>,
    twists: Vec<Twist>,
    revoked: Vec<u64>,
}

impl World {
    /// A world with so many leaves.
    pub(crate) fn new(chance: &mut Chance, leaves: usize) -> World {
        let key = KeyPair::generate().expect("a key");
        let certified = params("Root", 1, &[], true);
        let root = certified.self_signed(&key).expect("a certificate").der().to_vec();
        let mut above = vec![Authority {
            name: name("Root"),
            issuer: Issuer::new(certified, key),
            twists: Vec::new(),
            revoked: Vec::new(),
        }];
        let mut authorities = Vec::new();
        for number in 0..chance.below(4) {
            let twists = twists(chance, OF_AUTHORITIES);
            let key = KeyPair::generate().expect("a key");
            let certified = params(&format!("Authority {number}"), 10 + number, &twists, true);
            authorities.push(certify(
                chance,
                &certified,
                &key,
                above.last_mut().expect("a root"),
                &twists,
            ));
            above.push(Authority {
                name: certified.distinguished_name.clone(),
                issuer: Issuer::new(signing(certified), key),
                twists,
                revoked: Vec::new(),
            });
        }
        let key = KeyPair::generate().expect("a key");
        let leaves = (0..leaves as u64).map(|number| {
            let twists = twists(chance, OF_LEAVES);
            let certified = params(&format!("Leaf {number}"), 100 + number, &twists, false);
            let last = above.last_mut().expect("a root");
            let der = certify(chance, &certified, &key, last, &twists);
            Leaf { der, twists }
        });
        let leaves = leaves.collect();
        let is_policy_explicit = chance.below(4) == 0;
        World {
            root,
            authorities,
            lists: above.iter().filter_map(Authority::list).collect(),
            leaves,
            twists: above.into_iter().map(|authority| authority.twists).collect(),
            is_policy_explicit,
        }
    }
}

impl Authority {
    /// Somebody else who says the same name.
    fn with_other_key(&self) -> Issuer<'static, KeyPair> {
        let mut own = params("", 1, &[], true);
        own.distinguished_name = self.name.clone();
        Issuer::new(own, KeyPair::generate().expect("a key"))
    }

    /// Its list, unless it has none.
    fn list(&self) -> Option<Vec<u8>> {
        let is = |twist| self.twists.contains(&twist);
        if is(Twist::ListAbsent) {
            return None;
        }
        let revoked = self.revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 5, 1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 6, 1),
            next_update: date_time_ymd(2026, 6, if is(Twist::ListStale) { 10 } else { 30 }),
            crl_number: SerialNumber::from(7_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let der = if is(Twist::ListOfForeignKey) {
            list.signed_by(&self.with_other_key())
        } else {
            list.signed_by(&self.issuer)
        };
        Some(der.expect("a list").der().to_vec())
    }
}

/// None for most, one or two for the others.
fn twists(chance: &mut Chance, all: &[Twist]) -> Vec<Twist> {
    let mut twists = Vec::new();
    while twists.len() < 3 && chance.below(SPOILT) == 0 {
        let twist = *chance.one_of(all);
        if !twists.contains(&twist) {
            twists.push(twist);
        }
    }
    // Policies are of no interest unless most have one.
    if chance.below(2) == 0
        && !twists
            .iter()
            .any(|twist| matches!(twist, Twist::PolicyOther | Twist::PolicyAny))
    {
        twists.push(Twist::PolicyOne);
        twists.dedup();
    }
    twists
}

fn certify(
    chance: &mut Chance,
    params: &CertificateParams,
    key: &KeyPair,
    above: &mut Authority,
    twists: &[Twist],
) -> Vec<u8> {
    let certificate = if twists.contains(&Twist::ForeignKey) {
        params.signed_by(key, &above.with_other_key())
    } else {
        params.signed_by(key, &above.issuer)
    };
    if twists.contains(&Twist::Revoked) {
        let serial = params
            .serial_number
            .as_ref()
            .expect("each has one")
            .as_ref()
            .iter();
        above
            .revoked
            .push(serial.fold(0, |number, octet| number << 8 | u64::from(*octet)));
    }
    let mut der = certificate.expect("a certificate").der().to_vec();
    if twists.contains(&Twist::FlippedBit) {
        let bit = chance.below(der.len() as u64 * 8);
        der[usize::try_from(bit / 8).expect("a place")] ^= 1 << (bit % 8);
    }
    der
}

/// Whatever the certificate allows, the key signs what is asked for.
fn signing(mut params: CertificateParams) -> CertificateParams {
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "VN");
    name.push(DnType::CommonName, common);
    name
}

fn params(common: &str, serial: u64, twists: &[Twist], is_authority: bool) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(common);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    params.use_authority_key_identifier_extension = true;
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    } else {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    }
    for twist in twists {
        twist.apply(&mut params);
    }
    params
}

const POLICIES: &[u64] = &[2, 5, 29, 32];
const MAPPINGS: &[u64] = &[2, 5, 29, 33];
const POLICY_CONSTRAINTS: &[u64] = &[2, 5, 29, 36];
const INHIBIT_ANY: &[u64] = &[2, 5, 29, 54];

impl Twist {
    /// Makes the certificate so, as far as that is said in it.
    fn apply(self, params: &mut CertificateParams) {
        match self {
            Self::Expired => params.not_after = date_time_ymd(2026, 6, 1),
            Self::NotYetValid => params.not_before = date_time_ymd(2026, 7, 1),
            Self::NotAuthority => params.is_ca = IsCa::ExplicitNoCa,
            Self::NoCertificateSigning => params.key_usages = vec![KeyUsagePurpose::CrlSign],
            Self::NoListSigning => params.key_usages = vec![KeyUsagePurpose::KeyCertSign],
            Self::PathLength(length) => {
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
            }
            Self::UnknownCritical => add(params, &[1, 2, 3, 4], &[5, 0], true),
            Self::UnknownNotCritical => add(params, &[1, 2, 3, 4], &[5, 0], false),
            Self::PermitMailbox => permit(params, GeneralSubtree::Rfc822Name("so.vn".into())),
            Self::ExcludeMailbox => exclude(params, GeneralSubtree::Rfc822Name("so.vn".into())),
            Self::PermitHost => permit(params, GeneralSubtree::DnsName("so.vn".into())),
            Self::ExcludeHost => exclude(params, GeneralSubtree::DnsName("so.vn".into())),
            Self::PermitAddress => {
                let network = rcgen::CidrSubnet::V4([192, 0, 2, 0], [255, 255, 255, 0]);
                permit(params, GeneralSubtree::IpAddress(network));
            }
            Self::PermitDirectory => permit(params, GeneralSubtree::DirectoryName(country("VN"))),
            Self::ExcludeDirectory => exclude(params, GeneralSubtree::DirectoryName(country("VN"))),
            Self::PolicyOne => add(params, POLICIES, &policies(&[0x2A, 1]), true),
            Self::PolicyOther => add(params, POLICIES, &policies(&[0x2A, 2]), true),
            Self::PolicyAny => add(params, POLICIES, &policies(&[0x55, 0x1D, 0x20, 0]), false),
            Self::MapOneToOther => {
                let pair = [0x30, 0x0A, 0x30, 0x08, 0x06, 2, 0x2A, 1, 0x06, 2, 0x2A, 2];
                add(params, MAPPINGS, &pair, true);
            }
            Self::RequireExplicit(skip) => {
                add(params, POLICY_CONSTRAINTS, &[0x30, 3, 0x80, 1, skip], true);
            }
            Self::InhibitMapping => add(params, POLICY_CONSTRAINTS, &[0x30, 3, 0x81, 1, 0], true),
            Self::InhibitAny => add(params, INHIBIT_ANY, &[2, 1, 0], true),
            Self::MailboxInside => mailbox(params, "van-thu@so.vn"),
            Self::MailboxOutside => mailbox(params, "van-thu@khac.vn"),
            Self::HostInside => host(params, "a.so.vn"),
            Self::HostOutside => host(params, "khongso.vn"),
            Self::AddressInside => address(params, [192, 0, 2, 7]),
            Self::AddressOutside => address(params, [198, 51, 100, 7]),
            Self::ForeignKey
            | Self::FlippedBit
            | Self::Revoked
            | Self::ListAbsent
            | Self::ListStale
            | Self::ListOfForeignKey => {}
        }
    }
}

fn add(params: &mut CertificateParams, identifier: &[u64], content: &[u8], is_critical: bool) {
    let known = params.custom_extensions.iter();
    if known
        .clone()
        .any(|one| one.oid_components().eq(identifier.iter().copied()))
    {
        return;
    }
    let mut extension = CustomExtension::from_oid_content(identifier, content.to_vec());
    extension.set_criticality(is_critical);
    params.custom_extensions.push(extension);
}

fn policies(policy: &[u8]) -> Vec<u8> {
    let length = u8::try_from(policy.len()).expect("short");
    [&[0x30, length + 4, 0x30, length + 2, 0x06, length], policy].concat()
}

fn constraints(params: &mut CertificateParams) -> &mut NameConstraints {
    params.name_constraints.get_or_insert_with(|| NameConstraints {
        permitted_subtrees: Vec::new(),
        excluded_subtrees: Vec::new(),
    })
}

fn permit(params: &mut CertificateParams, subtree: GeneralSubtree) {
    constraints(params).permitted_subtrees.push(subtree);
}

fn exclude(params: &mut CertificateParams, subtree: GeneralSubtree) {
    constraints(params).excluded_subtrees.push(subtree);
}

fn country(country: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, country);
    name
}

fn mailbox(params: &mut CertificateParams, mailbox: &str) {
    let mailbox = mailbox.try_into().expect("ASCII");
    params.subject_alt_names.push(SanType::Rfc822Name(mailbox));
}

fn host(params: &mut CertificateParams, host: &str) {
    let host = host.try_into().expect("ASCII");
    params.subject_alt_names.push(SanType::DnsName(host));
}

fn address(params: &mut CertificateParams, octets: [u8; 4]) {
    params.subject_alt_names.push(SanType::IpAddress(octets.into()));
}
