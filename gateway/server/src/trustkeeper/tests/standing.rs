//! What is told of trust: versions that mean something, and alarms that end.

use rcgen::CrlDistributionPoint;

use super::*;

const WEEK_OLD: i64 = -8 * DAY;

#[tokio::test]
async fn a_version_rises_only_when_the_material_changed() {
    let authority = Authority::new("Root");
    let mut house = House::of(&authority);
    let (port, asked, serving) = serve(ok(&authority.list(3, -60))).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    let keeper = house.keeper();
    let url = format!("http://127.0.0.1:{port}/root.crl");
    while_running(&keeper, serving, async {
        let begun = keeper.snapshot().version();
        keeper.fetch(need_of(&authority, &[url])).await;
        let version = keeper.snapshot().version();
        assert!(version > begun, "a list came");
        for _ in 0..2 {
            keeper.refresh().await;
        }
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        assert_eq!(
            keeper.snapshot().version(),
            version,
            "the same list, the same folders"
        );
        keeper.import(authority.list(4, -30)).await.expect("newer");
        assert_eq!(keeper.snapshot().version(), version + 1);
    })
    .await;
}

#[test]
fn a_list_that_is_only_signed_anew_is_the_same() {
    let authority = Authority::new("Root");
    let mut material = Material::default();
    material.set_certificates(vec![authority.certificate()], Vec::new(), Vec::new(), now());
    let at = now().as_seconds() - 60;
    let mut take = |list: Vec<u8>| {
        let signed = material.certificates.check_list(&list).expect("signed");
        material.take_list(signed, now())
    };
    let (first, second) = (authority.list_at(3, at), authority.list_at(3, at));
    assert_ne!(first, second, "an ECDSA signature is another each time");
    assert_eq!(take(first), Ok(Taken::New));
    assert_eq!(take(second), Ok(Taken::Same));
    assert_eq!(take(authority.list_at(4, at)), Ok(Taken::New));
}

#[test]
fn an_old_list_is_told_until_its_issuer_has_no_anchor_any_more() {
    let (root, other) = (Authority::new("Root"), Authority::new("Other"));
    let mut house = House::of(&root);
    house.pin(&other);
    let second = house.folder.path().join("anchors/other.pem");
    std::fs::write(&second, &other.certificate).expect("written");
    let candidate = house.folder.path().join("candidates/other.pem");
    std::fs::write(&candidate, &other.certificate).expect("written");
    house.put_list(&other.list(1, WEEK_OLD));
    let metrics = Metrics::new();
    let keeper = house.keeper();
    keeper.measure(&metrics);
    let Probe::NotReady(said) = keeper.probe() else {
        panic!("the list is old")
    };
    assert!(
        said.contains("CN=Other overdue since 20") && said.contains("no address is known"),
        "{said}"
    );
    assert!(
        metrics
            .text()
            .contains("gateway_crl_remaining_seconds{issuer=\"CN=Other")
    );
    // It stays a candidate, so that its list is still known; but nothing below it can pass.
    std::fs::remove_file(&second).expect("removed");
    let keeper = house.keeper();
    keeper.measure(&metrics);
    assert_eq!(keeper.probe(), Probe::Ready);
    assert_eq!(keeper.status().lists[0].state, ListState::Ended);
    assert!(!metrics.text().contains("CN=Other"), "{}", metrics.text());
}

#[tokio::test]
async fn a_list_that_never_came_is_told_until_it_comes() {
    let root = Authority::new("Root");
    let mut house = House::of(&root);
    let (port, _, serving) = serve(ok(&root.list(3, -60))).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    let [ours, configured] =
        ["authority", "configured"].map(|name| format!("http://127.0.0.1:{port}/{name}.crl"));
    let issuing = root.below("Issuing", |params| {
        params.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec![ours.clone()],
        }];
    });
    let candidate = house.folder.path().join("candidates/issuing.pem");
    std::fs::write(&candidate, &issuing.certificate).expect("written");
    house.config.crl_urls = vec![configured.clone()];
    let metrics = Metrics::new();
    let keeper = house.keeper();
    let Probe::NotReady(said) = keeper.probe() else {
        panic!("nothing is here yet")
    };
    for part in [
        format!("CN=Root never obtained, from {ours}"),
        format!("configured never obtained, from {configured}"),
    ] {
        assert!(said.contains(&part), "{part} in {said}");
    }
    keeper.measure(&metrics);
    assert!(metrics.text().contains("\ngateway_crls_absent 2\n"));
    while_running(&keeper, serving, keeper.refresh()).await;
    assert_eq!(keeper.probe(), Probe::Ready);
    keeper.measure(&metrics);
    assert!(metrics.text().contains("\ngateway_crls_absent 0\n"));
}

#[tokio::test]
async fn an_old_list_is_told_with_the_address_that_gave_it_also_after_a_restart() {
    let authority = Authority::new("Root");
    let mut house = House::of(&authority);
    let (port, _, serving) = serve(ok(&authority.list(3, WEEK_OLD))).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    let keeper = house.keeper();
    let url = format!("http://127.0.0.1:{port}/root.crl");
    while_running(
        &keeper,
        serving,
        keeper.fetch(need_of(&authority, std::slice::from_ref(&url))),
    )
    .await;
    let list = |keeper: &TrustKeeper| keeper.status().lists[0].clone();
    assert_eq!(
        (list(&keeper).state, list(&keeper).urls),
        (ListState::Overdue, vec![url.clone()])
    );
    let again = house.keeper();
    assert_eq!(
        (list(&again).state, list(&again).urls),
        (ListState::Overdue, vec![url.clone()])
    );
    assert!(matches!(again.probe(), Probe::NotReady(said) if said.contains(&url)));
}
