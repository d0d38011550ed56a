//! Issuers that are in no folder: met in signatures, or fetched where certificates say they are.

use super::responder::openssl;
use super::*;
use crate::trustkeeper::errand::{Errand, NeededFor};
use crate::trustkeeper::schedule::{Answer, Schedule};

impl Authority {
    /// An authority below this one, made so.
    pub(super) fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Authority {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate that this authority issued to somebody.
    pub(super) fn leaf(&self) -> Arc<trust::Certificate> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Somebody");
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        certificate(&params.signed_by(&key, &self.issuer).expect("a certificate").pem())
    }
}

fn nothing(_: &mut CertificateParams) {}

/// Whether the keeper's snapshot holds this certificate.
fn knows(keeper: &TrustKeeper, authority: &Authority) -> bool {
    let fingerprint = authority.certificate().fingerprint();
    keeper.snapshot().certificate(&fingerprint).is_some()
}

#[tokio::test]
async fn the_list_of_an_issuer_that_came_with_a_signature_only_is_fetched_and_kept() {
    let root = Authority::new("Root");
    let (above, issuing) = {
        let above = root.below("Above", nothing);
        let issuing = above.below("Issuing", nothing);
        (above, issuing)
    };
    let mut house = House::of(&root);
    let (port, asked, serving) = serve(ok(&issuing.list(3, -60))).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    let keeper = house.keeper();
    let path = [&issuing, &above, &root].map(Authority::certificate);
    let need = Need::Crl {
        issuers: path.to_vec(),
        urls: vec![format!("http://127.0.0.1:{port}/issuing.crl")],
    };
    while_running(&keeper, serving, keeper.fetch(vec![need])).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(
        number_in_use(&keeper).as_deref(),
        Some("03"),
        "{:?}",
        keeper.status()
    );
    assert_eq!(keeper.snapshot().revocation_lists().count(), 1);
    let again = house.keeper();
    assert_eq!(
        number_in_use(&again).as_deref(),
        Some("03"),
        "a restart still has it"
    );
    assert!(again.status().faults.is_empty(), "{:?}", again.status().faults);
}

#[tokio::test]
async fn the_list_of_an_issuer_below_no_anchor_of_ours_is_not_even_asked_for() {
    let (root, stranger) = (Authority::new("Root"), Authority::new("Stranger"));
    let issuing = stranger.below("Issuing", nothing);
    let mut house = House::of(&root);
    let (port, asked, serving) = serve(ok(&issuing.list(3, -60))).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    let keeper = house.keeper();
    let need = Need::Crl {
        issuers: vec![issuing.certificate(), stranger.certificate()],
        urls: vec![format!("http://127.0.0.1:{port}/issuing.crl")],
    };
    while_running(&keeper, serving, keeper.fetch(vec![need])).await;
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(!knows(&keeper, &issuing));
}

/// What becomes of a certificate that an address gives for the issuer of `of`.
async fn given(root: &Authority, of: &Arc<trust::Certificate>, gives: &[u8]) -> (House, TrustKeeper) {
    let mut house = House::of(root);
    let (port, asked, serving) = serve(ok(gives)).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    let keeper = house.keeper();
    let need = Need::Issuer {
        of: Arc::clone(of),
        urls: vec![format!("http://127.0.0.1:{port}/issuing.crt")],
    };
    while_running(&keeper, serving, keeper.fetch(vec![need])).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    (house, keeper)
}

#[tokio::test]
async fn an_issuer_is_fetched_where_a_certificate_says_that_it_is() {
    let root = Authority::new("Root");
    let issuing = root.below("Issuing", nothing);
    let (house, keeper) = given(&root, &issuing.leaf(), issuing.certificate.as_bytes()).await;
    assert!(knows(&keeper, &issuing), "{:?}", keeper.status());
    assert!(knows(&house.keeper(), &issuing), "a restart still has it");
}

#[tokio::test]
async fn an_issuer_is_found_among_the_certificates_of_a_message() {
    let root = Authority::new("Root");
    let issuing = root.below("Issuing", nothing);
    let desk = tempfile::tempdir().expect("a folder");
    let all = format!("{}{}", root.certificate, issuing.certificate);
    std::fs::write(desk.path().join("all.pem"), all).expect("written");
    let command = "crl2pkcs7 -nocrl -certfile all.pem -outform DER -out all.p7c";
    openssl(desk.path(), &command.split(' ').collect::<Vec<_>>());
    let message = std::fs::read(desk.path().join("all.p7c")).expect("a message");
    let (_house, keeper) = given(&root, &issuing.leaf(), &message).await;
    assert!(knows(&keeper, &issuing), "{:?}", keeper.status());
    assert_eq!(keeper.status().candidates(), 1, "and nothing else is taken");
}

#[tokio::test]
async fn a_certificate_that_is_not_the_wanted_issuer_of_an_authority_is_not_taken() {
    let root = Authority::new("Root");
    let issuing = root.below("Issuing", nothing);
    let leaf = issuing.leaf();
    let same_key = |change: fn(&mut CertificateParams)| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Issuing");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let signed = params.signed_by(issuing.issuer.key(), &root.issuer);
        signed.expect("a certificate").pem()
    };
    let no_authority = "a certificate that may not issue others";
    let another = "not the certificate of the issuer that was looked for";
    let cases = [
        (
            "no CA",
            same_key(|params| params.is_ca = IsCa::ExplicitNoCa),
            no_authority,
        ),
        (
            "for lists only",
            same_key(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
            no_authority,
        ),
        (
            "another name",
            same_key(|params| params.distinguished_name.push(DnType::CommonName, "Another")),
            another,
        ),
        (
            "another key identifier",
            same_key(|params| params.key_identifier_method = KeyIdMethod::PreSpecified(vec![1, 2, 3])),
            another,
        ),
        ("another key", root.below("Issuing", nothing).certificate, another),
        ("the root", root.certificate.clone(), another),
        (
            "nothing of the kind",
            "hello".to_owned(),
            "not a revocation list or certificate",
        ),
    ];
    for (case, gives, fault) in cases {
        let (_house, keeper) = given(&root, &leaf, gives.as_bytes()).await;
        assert_eq!(fault_of(&keeper), fault, "{case}");
        assert_eq!(keeper.status().candidates(), 0, "{case}");
    }
    let (_house, keeper) = given(&root, &leaf, same_key(|_| {}).as_bytes()).await;
    assert_eq!(
        keeper.status().candidates(),
        1,
        "made the same way, and all is right"
    );
}

#[tokio::test]
async fn an_issuer_that_nobody_known_issued_ends_the_wait_and_vouches_for_nothing() {
    let (root, stranger) = (Authority::new("Root"), Authority::new("Stranger"));
    let (house, keeper) = given(&root, &stranger.leaf(), stranger.certificate.as_bytes()).await;
    assert!(
        knows(&keeper, &stranger),
        "a path that ends there is known to end"
    );
    assert_eq!(keeper.status().candidates(), 0);
    assert!(!knows(&house.keeper(), &stranger), "it is not kept");
}

#[tokio::test]
async fn what_an_address_gave_is_known_until_nobody_needs_it_and_ends_the_wait() {
    let root = Authority::new("Root");
    let issuing = root.below("Issuing", nothing);
    // The same key and name, certified by somebody whom nobody here knows.
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Issuing");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let stranger = Authority::new("Stranger");
    let dead_end = params
        .signed_by(issuing.issuer.key(), &stranger.issuer)
        .expect("a certificate")
        .pem();
    for gives in [&dead_end, &issuing.certificate] {
        let (_house, keeper) = given(&root, &issuing.leaf(), gives.as_bytes()).await;
        let status = keeper.status();
        let url = &status.addresses[0].url;
        let snapshot = keeper.snapshot();
        assert_eq!(snapshot.answer_of(url), Some(&certificate(gives)));
        assert_eq!(snapshot.version(), status.version, "whoever waits is woken");
    }
}

#[test]
fn an_issuer_is_asked_for_again_for_those_only_to_whom_it_was_of_no_use() {
    let (one, other) = (Authority::new("One"), Authority::new("Other"));
    let errand = Errand::issuer("http://ca.example/one.crt");
    let at = |seconds| Time::from_seconds(1_000_000 + seconds);
    let mut schedule = Schedule::new(3600, 600);
    assert!(schedule.need(&errand, NeededFor::IssuerOf(&one.leaf()), at(0)));
    let give = |schedule: &mut Schedule, seconds| {
        schedule.asking(&errand, at(seconds));
        schedule.succeeded(&errand, at(seconds), Answer::Issuer(one.certificate()));
    };
    give(&mut schedule, 0);
    assert!(schedule.due(at(DAY)).is_empty(), "all have theirs");
    assert_eq!(schedule.answers()[&errand.url], one.certificate().fingerprint());
    let (mut now, mut rests) = (10, Vec::new());
    assert!(schedule.need(&errand, NeededFor::IssuerOf(&other.leaf()), at(now)));
    for _ in 0..7 {
        give(&mut schedule, now);
        let due = |seconds: &i64| !schedule.due(at(now + seconds)).is_empty();
        let rested = (0..).find(due).expect("asked again");
        rests.push(rested);
        now += rested;
    }
    assert_eq!(rests, [10, 20, 40, 80, 160, 160, 160]);
}

#[test]
fn a_stranger_signs_no_list() {
    let (root, stranger) = (Authority::new("Root"), Authority::new("Stranger"));
    let mut material = Material::default();
    material.set_certificates(vec![root.certificate()], Vec::new(), Vec::new(), now());
    let list = stranger.list(1, -60);
    let check = |material: &Material| material.certificates.check_list(&list).map(|_| ());
    assert_eq!(
        material.take_issuer(stranger.certificate(), now()),
        Ok(Taken::New)
    );
    assert_eq!(check(&material), Err(Unfit::Unsigned));
    let anchors = vec![root.certificate(), stranger.certificate()];
    material.set_certificates(anchors, Vec::new(), Vec::new(), now());
    assert_eq!(check(&material), Ok(()), "an anchor does");
}

#[test]
fn who_is_issued_by_one_that_was_learned_is_learned_in_any_order() {
    let root = Authority::new("Root");
    let above = root.below("Above", nothing);
    let issuing = above.below("Issuing", nothing);
    let expired = root.below("Expired", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let mut material = Material::default();
    material.set_certificates(vec![root.certificate()], Vec::new(), Vec::new(), now());
    for authority in [&issuing, &above, &expired] {
        assert_eq!(
            material.take_issuer(authority.certificate(), now()),
            Ok(Taken::New)
        );
    }
    let learned = |material: &Material| material.certificates.learned.len();
    assert_eq!(learned(&material), 2, "the expired one is of no use");
    let other = Authority::new("Other");
    material.set_certificates(vec![other.certificate()], Vec::new(), Vec::new(), now());
    assert_eq!(learned(&material), 0, "their anchor is gone");
    material.set_certificates(vec![root.certificate()], Vec::new(), Vec::new(), now());
    assert_eq!(learned(&material), 2, "and came back");
}

#[test]
fn a_list_matters_as_long_as_its_issuer_has_a_path_of_which_nothing_is_expired() {
    let root = Authority::new("Root");
    let above = root.below("Above", |params| params.not_after = date_time_ymd(2040, 1, 1));
    let issuing = above.below("Issuing", |params| params.not_after = date_time_ymd(2050, 1, 1));
    let orphan = Authority::new("Orphan");
    let candidates = [&issuing, &above, &orphan].map(Authority::certificate).to_vec();
    let mut material = Material::default();
    material.set_certificates(vec![root.certificate()], candidates, Vec::new(), now());
    let mut until = |authority: &Authority| {
        let signed = material
            .certificates
            .check_list(&authority.list(1, -60))
            .expect("signed");
        let series = signed.series();
        assert_eq!(material.take_list(signed, now()), Ok(Taken::New));
        material.matters_until(&series)
    };
    assert_eq!(until(&issuing), Some(above.certificate().not_after()));
    assert_eq!(until(&root), Some(root.certificate().not_after()));
    assert_eq!(until(&orphan), None, "no path leads from it to an anchor");
}

#[test]
fn an_authority_of_the_same_name_drives_out_no_list() {
    let root = Authority::new("Root");
    let (issuing, rogue) = (root.below("Issuing", nothing), root.below("Issuing", nothing));
    let candidates = [&issuing, &rogue].map(Authority::certificate).to_vec();
    let mut material = Material::default();
    material.set_certificates(vec![root.certificate()], candidates, Vec::new(), now());
    let at = |days: i64| {
        date_time_ymd(2026, 1, 1) + Duration::from_secs(u64::try_from(days * DAY).expect("later"))
    };
    let mut take = |authority: &Authority, number: u64| {
        // Whatever key the other one has, it may say the same of it.
        let params = CertificateRevocationListParams {
            this_update: at(0),
            next_update: at(7),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::PreSpecified(vec![1; 20]),
        };
        let list = params
            .signed_by(&authority.issuer)
            .expect("a list")
            .der()
            .to_vec();
        let signed = material.certificates.check_list(&list).expect("signed");
        material.take_list(signed, now())
    };
    assert_eq!(take(&issuing, 1), Ok(Taken::New));
    assert_eq!(take(&rogue, 1_000), Ok(Taken::New));
    assert_eq!(
        take(&issuing, 2),
        Ok(Taken::New),
        "its own is not older than the other's"
    );
    assert_eq!(material.lists().count(), 2);
}
