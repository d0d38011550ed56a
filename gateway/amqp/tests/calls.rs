//! What becomes of a call that nobody answers: on real sockets, over loopback.

use std::net::SocketAddr;
use std::time::Duration;

use amqp::{ConnectFault, Tls, connect};
use lapin::{Connection, ConnectionProperties};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// How long anything may take beside builds on the same machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a call waits for its answer.
const LIMIT: Duration = Duration::from_millis(300);
/// lapin's name for the thread of a connection; the kernel keeps fifteen bytes of it.
const THREAD: &str = "lapin-io-loop";

async fn call(broker: SocketAddr, scheme: &str) -> Result<Connection, ConnectFault> {
    let uri = format!("{scheme}://user:word@{broker}/host")
        .parse()
        .expect("an address");
    connect(uri, ConnectionProperties::default(), Tls::default(), LIMIT).await
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

/// Reads what the caller says until it hangs up.
async fn hung_up(mut socket: TcpStream) {
    let mut said = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut said))
        .await
        .expect("the caller hangs up")
        .expect("read");
}

async fn no_thread_is_left() {
    let named = || {
        let threads = std::fs::read_dir("/proc/self/task").expect("threads").flatten();
        threads
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
            .filter(|name| name.trim() == THREAD)
            .count()
    };
    let gone = async {
        while named() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("every thread has ended");
}

/// One test for all, because the threads of a process are counted together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_hangs_up_and_leaves_no_thread() {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("the only one");
    let (silent, address) = listen().await;
    for scheme in ["amqp", "amqps"] {
        let fault = call(address, scheme).await.expect_err("nobody answers");
        assert!(matches!(fault, ConnectFault::Timeout), "{scheme}: {fault}");
        let (socket, _) = silent.accept().await.expect("it called");
        hung_up(socket).await;
        no_thread_is_left().await;
    }

    let dropped = timeout(LIMIT / 3, call(address, "amqp")).await;
    assert!(dropped.is_err(), "nobody answers");
    let (socket, _) = silent.accept().await.expect("it called");
    hung_up(socket).await;
    no_thread_is_left().await;

    // lapin dials again by itself when the other side hangs up, and not after the caller gave up.
    let hanging_up = async {
        loop {
            drop(silent.accept().await);
        }
    };
    tokio::select! {
        called = call(address, "amqp") => drop(called.expect_err("nobody answers")),
        () = hanging_up => {}
    }
    no_thread_is_left().await;

    let (gone, address) = listen().await;
    drop(gone);
    let fault = call(address, "amqp").await.expect_err("nobody listens");
    assert!(matches!(fault, ConnectFault::Refused(_)), "{fault}");
    no_thread_is_left().await;
}
