//! A broker that follows a script: as much of AMQP 0-9-1 as a connector says, on a real socket.
//!
//! **Invariant:** a connection goes by the mood that it met when it was made.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How long anything may take beside builds on the same machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Class and method of what is used here.
pub(crate) type Method = (u16, u16);
const CONNECTION_START: Method = (10, 10);
const CONNECTION_START_OK: Method = (10, 11);
const CONNECTION_TUNE: Method = (10, 30);
const CONNECTION_TUNE_OK: Method = (10, 31);
const CONNECTION_OPEN: Method = (10, 40);
const CONNECTION_OPEN_OK: Method = (10, 41);
const CONNECTION_CLOSE: Method = (10, 50);
const CONNECTION_CLOSE_OK: Method = (10, 51);
pub(crate) const CHANNEL_OPEN: Method = (20, 10);
const CHANNEL_OPEN_OK: Method = (20, 11);
const CHANNEL_CLOSE: Method = (20, 40);
pub(crate) const BASIC_QOS: Method = (60, 10);
const BASIC_QOS_OK: Method = (60, 11);
pub(crate) const BASIC_CONSUME: Method = (60, 20);
const BASIC_CONSUME_OK: Method = (60, 21);
const BASIC_PUBLISH: Method = (60, 40);
const BASIC_ACK: Method = (60, 80);
pub(crate) const CONFIRM_SELECT: Method = (85, 10);
const CONFIRM_SELECT_OK: Method = (85, 11);

/// Frame types, and what every frame ends with.
const METHOD: u8 = 1;
const BODY: u8 = 3;
const FRAME_END: u8 = 0xce;

/// How the broker treats those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Serving,
    /// 403 at login, as for a wrong password or an account that is gone.
    RefusingLogin,
    /// 404 to whoever consumes.
    WithoutInbox,
    /// Never answers this call.
    DeafTo(Method),
}

#[derive(Debug)]
struct State {
    mood: Mood,
    connections: usize,
    bodies: Vec<Vec<u8>>,
}

/// See the module. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Broker {
    state: Arc<Mutex<State>>,
    pub(crate) address: SocketAddr,
    _accepting: JoinSet<()>,
}

impl Broker {
    /// Listens on a free port, or on one that was free before.
    pub(crate) async fn start(mood: Mood, port: u16) -> Broker {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(Mutex::new(State {
            mood,
            connections: 0,
            bodies: Vec::new(),
        }));
        let (mut accepting, shared) = (JoinSet::new(), Arc::clone(&state));
        accepting.spawn(async move {
            let mut serving = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.expect("it listens");
                let mood = {
                    let mut state = shared.lock().expect("no panic under this lock");
                    state.connections += 1;
                    state.mood
                };
                let state = Arc::clone(&shared);
                // A client that goes away ends its own connection only.
                serving.spawn(async move { serve(socket, mood, state).await.err() });
            }
        });
        Broker {
            state,
            address,
            _accepting: accepting,
        }
    }

    pub(crate) fn turn(&self, mood: Mood) {
        self.state.lock().expect("no panic under this lock").mood = mood;
    }

    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.state
            .lock()
            .expect("no panic under this lock")
            .bodies
            .clone()
    }

    fn connections(&self) -> usize {
        self.state.lock().expect("no panic under this lock").connections
    }

    /// Waits until so many more connections were made.
    pub(crate) async fn attempts(&self, count: usize) {
        let before = self.connections();
        wait_until(|| self.connections() >= before + count).await;
    }
}

pub(crate) async fn wait_until(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it comes to pass");
}

fn method((class, method): Method, arguments: &[u8]) -> Vec<u8> {
    [&class.to_be_bytes()[..], &method.to_be_bytes()[..], arguments].concat()
}

async fn send(socket: &mut TcpStream, channel: u16, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).expect("short");
    let head = [
        &[METHOD][..],
        &channel.to_be_bytes()[..],
        &length.to_be_bytes()[..],
    ]
    .concat();
    socket
        .write_all(&[&head[..], payload, &[FRAME_END][..]].concat())
        .await
}

/// Type, channel and payload of the next frame.
async fn receive(socket: &mut TcpStream) -> io::Result<(u8, u16, Vec<u8>)> {
    let kind = socket.read_u8().await?;
    let channel = socket.read_u16().await?;
    let mut payload = vec![0; socket.read_u32().await? as usize];
    socket.read_exact(&mut payload).await?;
    assert_eq!(socket.read_u8().await?, FRAME_END);
    Ok((kind, channel, payload))
}

fn method_of(payload: &[u8]) -> Method {
    let number = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
    (number(0), number(2))
}

async fn expect(socket: &mut TcpStream, expected: Method) -> io::Result<()> {
    let (_, _, payload) = receive(socket).await?;
    assert_eq!(method_of(&payload), expected);
    Ok(())
}

/// Reply code and text, and no method that was at fault.
fn close(code: u16, text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short");
    [&code.to_be_bytes()[..], &[length][..], text.as_bytes(), &[0; 4]].concat()
}

async fn serve(mut socket: TcpStream, mood: Mood, state: Arc<Mutex<State>>) -> io::Result<()> {
    socket.read_exact(&mut [0; 8]).await?;
    // Version 0-9, no properties, PLAIN, en_US.
    let start = [
        &[0, 9, 0, 0, 0, 0, 0, 0, 0, 5][..],
        b"PLAIN",
        &[0, 0, 0, 5],
        b"en_US",
    ]
    .concat();
    send(&mut socket, 0, &method(CONNECTION_START, &start)).await?;
    expect(&mut socket, CONNECTION_START_OK).await?;
    if mood == Mood::RefusingLogin {
        let said = close(
            403,
            "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
        );
        send(&mut socket, 0, &method(CONNECTION_CLOSE, &said)).await?;
        return expect(&mut socket, CONNECTION_CLOSE_OK).await;
    }
    // 10 channels, frames of 128 KiB, no heartbeat: only a limit of its own tells the client that we are deaf.
    let tune = [&[0, 10][..], &[0, 2, 0, 0], &[0, 0]].concat();
    send(&mut socket, 0, &method(CONNECTION_TUNE, &tune)).await?;
    expect(&mut socket, CONNECTION_TUNE_OK).await?;
    expect(&mut socket, CONNECTION_OPEN).await?;
    send(&mut socket, 0, &method(CONNECTION_OPEN_OK, &[0])).await?;
    converse(&mut socket, mood, &state).await
}

async fn converse(socket: &mut TcpStream, mood: Mood, state: &Mutex<State>) -> io::Result<()> {
    let mut published = 0_u64;
    loop {
        let (kind, channel, payload) = receive(socket).await?;
        if kind == BODY {
            state
                .lock()
                .expect("no panic under this lock")
                .bodies
                .push(payload);
            published += 1;
            let ack = [&published.to_be_bytes()[..], &[0]].concat();
            send(socket, channel, &method(BASIC_ACK, &ack)).await?;
            continue;
        }
        if kind != METHOD || mood == Mood::DeafTo(method_of(&payload)) {
            continue;
        }
        let answer = match method_of(&payload) {
            CHANNEL_OPEN => method(CHANNEL_OPEN_OK, &[0; 4]),
            CONFIRM_SELECT => method(CONFIRM_SELECT_OK, &[]),
            BASIC_QOS => method(BASIC_QOS_OK, &[]),
            BASIC_CONSUME if mood == Mood::WithoutInbox => method(
                CHANNEL_CLOSE,
                &close(404, "NOT_FOUND - no queue 'inbox.a17' in vhost 'v'"),
            ),
            BASIC_CONSUME => method(BASIC_CONSUME_OK, &[1, b'c']),
            CONNECTION_CLOSE => {
                send(socket, 0, &method(CONNECTION_CLOSE_OK, &[])).await?;
                return Ok(());
            }
            BASIC_PUBLISH => continue, // the body follows
            _ => continue,             // nothing that is answered
        };
        send(socket, channel, &answer).await?;
    }
}
