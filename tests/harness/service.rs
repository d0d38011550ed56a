//! A small asynchronous service on a thread of its own.
//!
//! Tests block their runtime now and then (they wait for a command to end); a service inside the test's runtime
//! would stand still with them, and the command might wait for that service.

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    thread::JoinHandle,
};

use tokio::{net::TcpListener, sync::oneshot};

/// A running service; ended when dropped, together with every task it spawned.
#[derive(Debug)]
pub(crate) struct Service {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// Runs `work` until dropped. Tasks are to be spawned in a `JoinSet` inside `work`.
    pub(crate) fn start(name: &str, work: impl Future<Output = ()> + Send + 'static) -> Service {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime needs a few file descriptors");
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = work => {}
                        _ = stopped => {}
                    }
                });
            })
            .expect("a thread can be started");
        Service {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("a harness service panicked; its message is above");
        }
    }
}

/// A loopback port of a service that does not run yet: whoever connects waits for it.
#[derive(Debug)]
pub(crate) struct Listener(std::net::TcpListener);

/// Takes a free loopback port, and says where it is.
pub(crate) fn listen() -> (Listener, SocketAddr) {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
    listener
        .set_nonblocking(true)
        .expect("a fresh listener can be set so");
    let address = listener.local_addr().expect("a bound listener has an address");
    (Listener(listener), address)
}

impl Listener {
    /// Its port in the runtime of the service, which calls this.
    pub(crate) fn open(self) -> TcpListener {
        TcpListener::from_std(self.0).expect("the service's runtime has a driver for sockets")
    }
}
