//! Certificates that a person brings.

use super::*;
use crate::administration::{AddedLine, Addition, AdditionFault, Became, Role};

fn addition(pem: &str) -> Addition {
    Addition {
        file: pem.as_bytes().to_vec(),
        anchor: None,
    }
}

fn anchor(pem: &str, fingerprint: trust::Digest) -> Addition {
    Addition {
        anchor: Some(fingerprint),
        ..addition(pem)
    }
}

/// A certificate of `name`, changed by `change`; issued by the authority, or by itself.
fn issued(name: &str, by: Option<&Authority>, change: impl FnOnce(&mut CertificateParams)) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    let made = match by {
        Some(authority) => params.signed_by(&key, &authority.issuer),
        None => params.self_signed(&key),
    };
    made.expect("a certificate").pem()
}

fn became(added: &[AddedLine]) -> Vec<Became> {
    added.iter().map(|line| line.became).collect()
}

fn files(house: &House, folder: &str) -> usize {
    std::fs::read_dir(house.folder.path().join(folder))
        .expect("a folder")
        .count()
}

fn roles(keeper: &TrustKeeper) -> Vec<Role> {
    keeper.status().certificates.iter().map(|one| one.role).collect()
}

#[test]
fn the_first_anchor_is_added_where_there_is_none() {
    let root = Authority::new("Root");
    let house = House::of(&root);
    let anchors = &house.config.anchors_dir;
    for entry in std::fs::read_dir(anchors).expect("a folder") {
        std::fs::remove_file(entry.expect("an entry").path()).expect("removed");
    }
    let start = || TrustKeeper::start(&house.config, &house.folder.path().join("data"), clock());
    assert!(matches!(start(), Err(TrustKeeperFault::NoAnchor(_))));
    let addition = Addition {
        anchor: Some(root.certificate().fingerprint()),
        file: root.certificate.into_bytes(),
    };
    let added = add(&house.config, &addition, now()).expect("added");
    assert_eq!(became(&added), [Became::New]);
    assert!(start().is_ok());
}

/// Lets the keeper work until `work` is done.
async fn while_kept<T>(keeper: &TrustKeeper, work: impl Future<Output = T>) -> T {
    while_running(keeper, std::future::pending(), work).await
}

#[tokio::test]
async fn candidates_are_in_use_at_once_and_after_a_restart_and_known_the_second_time() {
    let root = Authority::new("Root");
    let house = House::of(&root);
    let keeper = house.keeper();
    let (one, two) = (
        issued("One", Some(&root), |_| ()),
        issued("Two", Some(&root), |_| ()),
    );
    let both = format!("{one}{two}{one}");
    while_kept(&keeper, async {
        let added = keeper.add(addition(&both)).await.expect("taken");
        assert_eq!(became(&added), [Became::New, Became::New], "one of them twice");
        assert_eq!(added[0].certificate.subject, "CN=One");
        assert_eq!(roles(&keeper), [Role::Anchor, Role::Candidate, Role::Candidate]);
        let der = certificate(&two).der().to_vec();
        let again = Addition {
            file: der,
            anchor: None,
        };
        let again = keeper.add(again).await.expect("taken");
        assert_eq!(became(&again), [Became::Known]);
        let added = keeper.add(addition(&root.certificate)).await.expect("taken");
        assert_eq!(became(&added), [Became::Known], "an anchor need be no candidate");
    })
    .await;
    assert_eq!(files(&house, "candidates"), 2);
    drop(keeper);
    assert_eq!(house.keeper().status().candidates(), 2);
}

#[tokio::test]
async fn one_certificate_that_is_refused_keeps_the_file_out() {
    let root = Authority::new("Root");
    let house = House::of(&root);
    let keeper = house.keeper();
    let good = issued("Good", Some(&root), |_| ());
    let leaf = issued("Leaf", Some(&root), |params| params.is_ca = IsCa::NoCa);
    let old = issued("Old", Some(&root), |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    });
    while_kept(&keeper, async {
        let added = keeper
            .add(addition(&format!("{good}{leaf}{old}")))
            .await
            .expect("read");
        assert_eq!(
            became(&added),
            [Became::New, Became::NoAuthority, Became::Expired]
        );
        let broken = good.replacen('M', "N", 1);
        for file in ["nothing", "", &broken, &format!("{good}{broken}")] {
            let fault = keeper.add(addition(file)).await.expect_err("nothing to take");
            assert!(matches!(fault, AdditionFault::Unreadable(_)), "{fault}");
        }
    })
    .await;
    assert_eq!(
        (files(&house, "candidates"), keeper.status().candidates()),
        (0, 0)
    );
}

#[tokio::test]
async fn an_anchor_is_taken_for_its_fingerprint_only() {
    let root = Authority::new("Root");
    let mut house = House::of(&root);
    let (other, second) = (Authority::new("Other"), Authority::new("Second"));
    house.pin(&other);
    let keeper = house.keeper();
    let of = |pem: &str| certificate(pem).fingerprint();
    let own = of(&other.certificate);
    while_kept(&keeper, async {
        let fault = keeper
            .add(anchor(&other.certificate, of(&second.certificate)))
            .await;
        let expected = AdditionFault::Another {
            given: of(&second.certificate),
            found: own,
        };
        assert_eq!(fault.expect_err("another"), expected);
        let two = format!("{}{}", other.certificate, second.certificate);
        assert_eq!(
            keeper.add(anchor(&two, own)).await,
            Err(AdditionFault::SeveralAnchors(2))
        );
        let below = issued("Below", Some(&root), |_| ());
        let fault = keeper.add(anchor(&below, of(&below))).await;
        assert_eq!(fault, Err(AdditionFault::NotSelfSigned("CN=Below".to_owned())));
        // The name alone proves nothing: it calls itself its own issuer, and another key signed it.
        let impostor = issued("Root", Some(&root), |_| ());
        let fault = keeper.add(anchor(&impostor, of(&impostor))).await;
        assert_eq!(fault, Err(AdditionFault::NotSelfSigned("CN=Root".to_owned())));
        let unpinned = of(&second.certificate);
        let fault = keeper.add(anchor(&second.certificate, unpinned)).await;
        assert_eq!(fault, Err(AdditionFault::Unpinned(unpinned)));
        assert_eq!(
            (files(&house, "anchors"), keeper.status().anchors().count()),
            (1, 1)
        );
        let added = keeper.add(anchor(&other.certificate, own)).await.expect("taken");
        assert_eq!(
            (became(&added), roles(&keeper)),
            (vec![Became::New], vec![Role::Anchor; 2])
        );
        let added = keeper.add(anchor(&other.certificate, own)).await.expect("taken");
        assert_eq!(became(&added), [Became::Known]);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_there_is_left_as_it_is_and_nothing_of_the_other_stays() {
    let root = Authority::new("Root");
    let mut house = House::of(&root);
    let (one, two) = (
        issued("One", Some(&root), |_| ()),
        issued("Two", Some(&root), |_| ()),
    );
    let name = format!("candidates/{}.crt", certificate(&two).fingerprint());
    let path = house.folder.path().join(name);
    std::fs::write(&path, "another's").expect("written");
    let keeper = house.keeper();
    let fault = keeper.add(addition(&format!("{one}{two}"))).await;
    assert!(matches!(fault, Err(AdditionFault::NotKept(_))), "{fault:?}");
    assert_eq!(files(&house, "candidates"), 1);
    assert_eq!(std::fs::read(&path).expect("a file"), b"another's");
    house.config.candidates_dir = None;
    let fault = house.keeper().add(addition(&one)).await;
    assert_eq!(fault, Err(AdditionFault::NoFolder));
}

#[tokio::test]
async fn a_file_holds_so_many_certificates_and_no_more() {
    let root = Authority::new("Root");
    let house = House::of(&root);
    let keeper = house.keeper();
    let most = crate::trustkeeper::adding::CERTIFICATES_MAX;
    let added = keeper.add(addition(&root.certificate.repeat(most))).await;
    assert_eq!(became(&added.expect("taken")), [Became::Known]);
    let fault = keeper.add(addition(&root.certificate.repeat(most + 1))).await;
    assert_eq!(fault, Err(AdditionFault::TooMany(most)));
}
