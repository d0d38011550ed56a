//! A TCP proxy that puts faults between two parts: cut, refuse, delay, go silent in one direction, end after so many
//! bytes. It stands before the broker, a CRL server or anything else that speaks TCP.
//!
//! **Invariant**: bytes are never changed, reordered or doubled; a connection is whole, silent, or over.
//! **Invariant**: the address stays the same for the life of the proxy, refusing included.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::Instant,
};

use crate::service::{Listener, Service, listen};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// A way through the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client that connected to the proxy, to the service behind it.
    ToService,
    /// From the service behind the proxy, to the client.
    ToClient,
}

/// What new connections meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    Refusing,
}

/// What happens to what passes one way.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    latency: Duration,
    silent_since: Option<u64>,
    bytes_left: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Weather {
    door: Door,
    /// Counts cuts: a connection made before the newest cut is over.
    cuts: u64,
    to_service: Way,
    to_client: Way,
}

impl Weather {
    const FAIR: Weather = {
        let way = Way {
            latency: Duration::ZERO,
            silent_since: None,
            bytes_left: None,
        };
        Weather {
            door: Door::Open,
            cuts: 0,
            to_service: way,
            to_client: way,
        }
    };

    fn way(&self, direction: Direction) -> Way {
        match direction {
            Direction::ToService => self.to_service,
            Direction::ToClient => self.to_client,
        }
    }

    fn way_mut(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::ToService => &mut self.to_service,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

/// A running proxy; all its connections are cut when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    accepted: Arc<AtomicU64>,
    _service: Service,
}

impl Proxy {
    /// Starts a proxy on a free loopback port that forwards to `upstream`, which need not serve yet.
    pub fn start(upstream: SocketAddr) -> Proxy {
        let (listener, address) = listen();
        let weather = Arc::new(watch::Sender::new(Weather::FAIR));
        let accepted = Arc::new(AtomicU64::new(0));
        let work = accept(listener, upstream, Arc::clone(&weather), Arc::clone(&accepted));
        Proxy {
            address,
            weather,
            accepted,
            _service: Service::start("harness-proxy", work),
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections clients have opened so far, refused ones included.
    pub fn connections(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Ends every present connection. New ones pass.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Ends every present connection, and every new one as soon as it is opened, until [`Proxy::restore`].
    pub fn refuse(&self) {
        self.weather.send_modify(|weather| {
            weather.door = Door::Refusing;
            weather.cuts += 1;
        });
    }

    /// Delays everything that passes `direction` by `latency`; throughput stays.
    pub fn delay(&self, direction: Direction, latency: Duration) {
        self.weather
            .send_modify(|weather| weather.way_mut(direction).latency = latency);
    }

    /// Half-open: what goes `direction` on present and new connections is read by nobody, and nothing says so, until
    /// [`Proxy::restore`]; then present connections go on where they stood.
    pub fn silence(&self, direction: Direction) {
        self.weather
            .send_modify(|weather| weather.way_mut(direction).silent_since = Some(weather.cuts));
    }

    /// Lets `bytes_max` more bytes pass `direction`, over all connections, and then cuts the connection that carries
    /// the next one: a message torn in its middle.
    pub fn cut_after(&self, direction: Direction, bytes_max: u64) {
        self.weather
            .send_modify(|weather| weather.way_mut(direction).bytes_left = Some(bytes_max));
    }

    /// Fair weather again: nothing is refused, delayed, silent or limited. Connections that were cut stay cut.
    pub fn restore(&self) {
        self.weather.send_modify(|weather| {
            *weather = Weather {
                cuts: weather.cuts,
                ..Weather::FAIR
            }
        });
    }
}

async fn accept(
    listener: Listener,
    upstream: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    accepted: Arc<AtomicU64>,
) {
    let listener = listener.open();
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        accepted.fetch_add(1, Ordering::Relaxed);
        let current = *weather.borrow();
        match current.door {
            Door::Open => {
                connections.spawn(forward(client, upstream, Arc::clone(&weather), current.cuts));
            }
            Door::Refusing => drop(client),
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Carries one connection until either side ends it or it is cut.
async fn forward(client: TcpStream, upstream: SocketAddr, weather: Arc<watch::Sender<Weather>>, born: u64) {
    let Ok(service) = TcpStream::connect(upstream).await else {
        return;
    };
    let _ = (client.set_nodelay(true), service.set_nodelay(true)); // at worst it is slower
    let (from_client, to_client) = client.into_split();
    let (from_service, to_service) = service.into_split();
    let mut seen = weather.subscribe();
    tokio::select! {
        () = carry(from_client, to_service, Direction::ToService, Arc::clone(&weather)) => {}
        () = carry(from_service, to_client, Direction::ToClient, Arc::clone(&weather)) => {}
        _ = seen.wait_for(|current| current.cuts > born) => {}
    }
}

/// One direction of one connection, as two tasks in one: read with a time of departure, write when it is due.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    weather: Arc<watch::Sender<Weather>>,
) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<(Instant, Vec<u8>)>(64);
    // Owns the sender: when reading ends, the writer finishes what is on its way and ends too.
    let reading = async move {
        let mut changes = weather.subscribe();
        loop {
            if changes
                .wait_for(|current| current.way(direction).silent_since.is_none())
                .await
                .is_err()
            {
                return;
            }
            let mut chunk = vec![0; CHUNK];
            let count = tokio::select! {
                read = from.read(&mut chunk) => read.unwrap_or(0),
                _ = changes.wait_for(|current| current.way(direction).silent_since.is_some()) => continue,
            };
            chunk.truncate(spend(&weather, direction, count));
            let due = Instant::now() + weather.borrow().way(direction).latency;
            let whole = count > 0 && chunk.len() == count;
            if sender.send((due, chunk)).await.is_err() || !whole {
                return;
            }
        }
    };
    let writing = async {
        while let Some((due, chunk)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            if chunk.is_empty() || to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    tokio::pin!(reading, writing);
    tokio::select! {
        () = &mut writing => {}
        () = async { reading.await; std::future::pending().await } => {}
    }
}

/// Takes `count` bytes from what may still pass, and says how many do.
fn spend(weather: &watch::Sender<Weather>, direction: Direction, count: usize) -> usize {
    let mut passing = count;
    weather.send_if_modified(|current| {
        if let Some(left) = &mut current.way_mut(direction).bytes_left {
            passing = passing.min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= passing as u64;
        }
        false // nobody waits for this number
    });
    passing
}

#[cfg(test)]
mod tests;
