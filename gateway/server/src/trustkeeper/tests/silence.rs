//! A host that gives no answer costs one wait, and is asked again when its rest is over.

use std::sync::atomic::AtomicBool;

use super::*;

/// A server that takes connections and says nothing, until it is told to give this answer.
async fn silent(answer: Vec<u8>) -> (u16, Arc<AtomicUsize>, Arc<AtomicBool>, impl Future<Output = ()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (asked, speaks) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counted, may_speak) = (Arc::clone(&asked), Arc::clone(&speaks));
    let serving = async move {
        let mut held = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            counted.fetch_add(1, Ordering::Relaxed);
            if !may_speak.load(Ordering::Relaxed) {
                held.push(stream);
                continue;
            }
            let mut head = vec![0; 4096];
            let _ = stream.read(&mut head).await.expect("a request");
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    };
    (port, asked, speaks, serving)
}

/// Waits until the status is like this.
async fn until(keeper: &TrustKeeper, what: &str, is_so: impl Fn(&TrustStatus) -> bool) {
    let waiting = async {
        while !is_so(&keeper.status()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    assert!(waited.is_ok(), "{what}: {:?}", keeper.status());
}

#[tokio::test]
async fn a_silent_host_costs_one_wait_for_all_its_addresses_and_is_tried_again() {
    let authority = Authority::new("Root");
    let mut house = House::of(&authority);
    let (port, asked, speaks, serving) = silent(ok(&authority.list(3, -60))).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    house.config.fetch_max = Duration::from_millis(300);
    house.config.need_wait = Duration::from_secs(60);
    let urls: Vec<String> = (0..6)
        .map(|number| format!("http://127.0.0.1:{port}/{number}.crl"))
        .collect();
    let keeper = house.keeper();
    while_running(&keeper, serving, async {
        keeper.fetch(need_of(&authority, &urls)).await;
        assert_eq!(asked.load(Ordering::Relaxed), 1, "six addresses, one wait");
        for address in keeper.status().addresses {
            let fault = address.fault.expect("nothing came");
            assert_eq!(fault.trouble, Trouble::Unreachable);
            assert!(fault.detail.contains("gave no answer"), "{fault:?}");
            assert!(address.resting_until.is_some() && address.failing_since.is_some());
        }
        keeper.fetch(need_of(&authority, &urls)).await;
        assert_eq!(
            asked.load(Ordering::Relaxed),
            1,
            "nobody waits for a host that rests"
        );
        speaks.store(true, Ordering::Relaxed);
        until(&keeper, "the host is asked again by itself", |status| {
            status
                .addresses
                .iter()
                .all(|one| one.fetched_at.is_some() && one.fault.is_none())
        })
        .await;
    })
    .await;
    assert_eq!(number_in_use(&keeper).as_deref(), Some("03"));
}

#[tokio::test]
async fn a_silent_host_keeps_nobody_from_another_one() {
    let authority = Authority::new("Root");
    let mut house = House::of(&authority);
    let (dead_port, _, _, dead) = silent(Vec::new()).await;
    let (port, _, alive) = serve(ok(&authority.list(3, -60))).await;
    house.config.allowed_private_hosts = vec!["127.0.0.1:*".to_owned()];
    let keeper = house.keeper();
    let urls: Vec<String> = (0..8)
        .map(|number| format!("http://127.0.0.1:{dead_port}/{number}.crl"))
        .collect();
    let servers = async {
        tokio::join!(dead, alive);
    };
    while_running(&keeper, servers, async {
        tokio::join!(
            keeper.fetch(need_of(&authority, &urls)),
            keeper.fetch(need_of(
                &authority,
                &[format!("http://127.0.0.1:{port}/root.crl")]
            )),
        );
    })
    .await;
    assert_eq!(number_in_use(&keeper).as_deref(), Some("03"));
}

#[tokio::test]
async fn silent_hosts_of_issuers_keep_no_list_waiting() {
    let root = Authority::new("Root");
    let mut house = House::of(&root);
    let (port, _, alive) = serve(ok(&root.list(3, -60))).await;
    house.config.allowed_private_hosts = vec!["127.0.0.1:*".to_owned()];
    house.config.fetch_max = Duration::from_secs(600);
    house.config.need_wait = Duration::from_secs(60);
    let stranger = root.leaf();
    let (mut needs, mut hosts, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..12 {
        let (port, count, _, serving) = silent(Vec::new()).await;
        needs.push(Need::Issuer {
            of: Arc::clone(&stranger),
            urls: vec![format!("http://127.0.0.1:{port}/issuer.crt")],
        });
        hosts.push(serving);
        asked.push(count);
    }
    let keeper = house.keeper();
    let servers = async {
        tokio::join!(futures_util::future::join_all(hosts), alive);
    };
    while_running(&keeper, servers, async {
        let strangers = async {
            keeper.fetch(needs).await;
        };
        let honest = async {
            let is_busy = || asked.iter().any(|count| count.load(Ordering::Relaxed) > 0);
            until(&keeper, "a stranger's host is asked", |_| is_busy()).await;
            let url = format!("http://127.0.0.1:{port}/root.crl");
            keeper.fetch(need_of(&root, &[url])).await;
        };
        tokio::select! {
            () = strangers => panic!("nobody answers"),
            () = honest => {}
        }
    })
    .await;
    assert_eq!(number_in_use(&keeper).as_deref(), Some("03"));
    let busy = asked.iter().filter(|count| count.load(Ordering::Relaxed) > 0);
    assert!(busy.count() <= 3, "issuers have three places");
}

#[tokio::test]
async fn a_redirect_to_a_silent_host_is_held_against_that_host() {
    let authority = Authority::new("Root");
    let mut house = House::of(&authority);
    let (dead_port, asked, _, dead) = silent(Vec::new()).await;
    let redirect =
        format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{dead_port}/\r\ncontent-length: 0\r\n\r\n");
    let (port, redirected, open) = serve(redirect.into_bytes()).await;
    house.config.allowed_private_hosts = vec!["127.0.0.1:*".to_owned()];
    house.config.fetch_max = Duration::from_millis(300);
    house.config.need_wait = Duration::from_secs(60);
    let keeper = house.keeper();
    let servers = async {
        tokio::join!(dead, open);
    };
    let url = |name: &str| [format!("http://127.0.0.1:{port}/{name}.crl")];
    while_running(&keeper, servers, async {
        keeper.fetch(need_of(&authority, &url("a"))).await;
        keeper.fetch(need_of(&authority, &url("b"))).await;
    })
    .await;
    assert_eq!(
        redirected.load(Ordering::Relaxed),
        2,
        "the host that redirects is asked"
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the silent one once");
}
