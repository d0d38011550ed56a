//! Each fault against an echo service.

use super::*;

struct Echo {
    address: SocketAddr,
    _service: Service,
}

fn echo() -> Echo {
    let (listener, address) = listen();
    let work = async move {
        let listener = listener.open();
        let mut tasks = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            tasks.spawn(async move {
                let (mut from, mut to) = stream.into_split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    };
    Echo {
        address,
        _service: Service::start("echo", work),
    }
}

async fn says(stream: &mut TcpStream, text: &str) -> Option<String> {
    stream.write_all(text.as_bytes()).await.ok()?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await.ok()?;
    String::from_utf8(answer).ok()
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address())
        .await
        .expect("the proxy listens")
}

#[tokio::test]
async fn bytes_pass_both_ways_unchanged() {
    let echo = echo();
    let proxy = Proxy::start(echo.address);
    let stream = connect(&proxy).await;
    let sent: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let (mut from, mut to) = stream.into_split();
    let copy = sent.clone();
    let mut received = vec![0; sent.len()];
    let (written, read) = tokio::join!(to.write_all(&copy), from.read_exact(&mut received));
    written.expect("written");
    read.expect("read");
    assert!(received == sent, "3 MB come back as they went");
}

#[tokio::test]
async fn a_cut_ends_present_connections_only() {
    let echo = echo();
    let proxy = Proxy::start(echo.address);
    let mut before = connect(&proxy).await;
    assert_eq!(says(&mut before, "one").await.as_deref(), Some("one"));
    proxy.cut();
    assert_eq!(says(&mut before, "two").await, None);
    assert_eq!(
        says(&mut connect(&proxy).await, "three").await.as_deref(),
        Some("three")
    );
}

#[tokio::test]
async fn a_refusing_proxy_lets_nobody_through_until_restored() {
    let echo = echo();
    let proxy = Proxy::start(echo.address);
    proxy.refuse();
    assert_eq!(says(&mut connect(&proxy).await, "one").await, None);
    proxy.restore();
    assert_eq!(
        says(&mut connect(&proxy).await, "two").await.as_deref(),
        Some("two")
    );
    assert_eq!(proxy.connections(), 2);
}

#[tokio::test]
async fn latency_delays_and_does_not_throttle() {
    let echo = echo();
    let proxy = Proxy::start(echo.address);
    let latency = Duration::from_millis(150);
    proxy.delay(Direction::ToClient, latency);
    let started = Instant::now();
    let (mut from, mut to) = connect(&proxy).await.into_split();
    let writing = async {
        for _ in 0..20 {
            to.write_all(&[7; 1000]).await.expect("written");
            tokio::task::yield_now().await;
        }
    };
    let mut received = vec![0; 20_000];
    tokio::join!(writing, async {
        from.read_exact(&mut received).await.expect("read")
    });
    assert!(started.elapsed() >= latency, "delayed");
    assert!(
        started.elapsed() < latency * 10,
        "the delays of twenty pieces overlap"
    );
}

#[tokio::test]
async fn silence_loses_nothing_and_ends_nothing() {
    let echo = echo();
    let proxy = Proxy::start(echo.address);
    let mut stream = connect(&proxy).await;
    assert_eq!(says(&mut stream, "one").await.as_deref(), Some("one"));
    proxy.silence(Direction::ToClient);
    let answer = tokio::time::timeout(Duration::from_millis(200), says(&mut stream, "two")).await;
    assert!(answer.is_err(), "no answer and no end: {answer:?}");
    proxy.restore();
    let mut late = [0; 3];
    stream
        .read_exact(&mut late)
        .await
        .expect("the connection goes on");
    assert_eq!(&late, b"two");
}

#[tokio::test]
async fn a_limit_tears_a_message_in_its_middle() {
    let echo = echo();
    let proxy = Proxy::start(echo.address);
    proxy.cut_after(Direction::ToClient, 4);
    let mut stream = connect(&proxy).await;
    stream.write_all(b"seven b").await.expect("written");
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received).await; // ends, or is reset
    assert_eq!(received, b"seve");
}
