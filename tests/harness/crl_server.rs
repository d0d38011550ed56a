//! A small HTTP server for revocation lists and certificates, where a certification authority's would be. Each name
//! can be made to fail, to hang, or to give new bytes, and its requests are counted.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::service::{Listener, Service, listen};

/// A request's head longer than this is not one of ours.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How a name is answered.
#[derive(Clone, Debug)]
enum Answer {
    Serve(Arc<Vec<u8>>),
    Fail(u16),
    Hang,
}

#[derive(Debug)]
struct Entry {
    answer: Answer,
    requests: u64,
}

type Names = Arc<Mutex<HashMap<String, Entry>>>;

/// A running server on a loopback port; ended when dropped. Names that were never set are answered 404.
#[derive(Debug)]
pub struct CrlServer {
    address: SocketAddr,
    names: Names,
    _service: Service,
}

impl CrlServer {
    /// Starts a server that knows no names yet, so that its address can go into certificates made after it.
    pub fn start() -> CrlServer {
        let (listener, address) = listen();
        let names = Names::default();
        let service = Service::start("harness-crl-server", accept(listener, Arc::clone(&names)));
        CrlServer {
            address,
            names,
            _service: service,
        }
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of `name`, such as `issuing.crl`.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.base())
    }

    /// From now on gives `bytes` under `name`.
    pub fn serve(&self, name: &str, bytes: Vec<u8>) {
        self.set(name, Answer::Serve(Arc::new(bytes)));
    }

    /// From now on answers `name` with this HTTP status.
    pub fn fail(&self, name: &str, status: u16) {
        self.set(name, Answer::Fail(status));
    }

    /// From now on takes requests for `name` and never answers.
    pub fn hang(&self, name: &str) {
        self.set(name, Answer::Hang);
    }

    /// How often `name` was asked for.
    pub fn requests(&self, name: &str) -> u64 {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(name).map_or(0, |entry| entry.requests)
    }

    fn set(&self, name: &str, answer: Answer) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = names.get(name).map_or(0, |entry| entry.requests);
        names.insert(name.to_owned(), Entry { answer, requests });
    }
}

async fn accept(listener: Listener, names: Names) {
    let listener = listener.open();
    let mut requests = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        requests.spawn(answer(stream, Arc::clone(&names)));
        while requests.try_join_next().is_some() {}
    }
}

/// Answers one request and closes. A client that breaks off is its own matter.
async fn answer(mut stream: TcpStream, names: Names) {
    let Some(name) = read_name(&mut stream).await else {
        return;
    };
    let answer = {
        let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get_mut(&name).map(|entry| {
            entry.requests += 1;
            entry.answer.clone()
        })
    };
    let (status, body) = match answer {
        Some(Answer::Serve(bytes)) => (200, bytes),
        Some(Answer::Fail(status)) => (status, Arc::default()),
        Some(Answer::Hang) => std::future::pending().await,
        None => (404, Arc::default()),
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    if stream.write_all(head.as_bytes()).await.is_ok() {
        let _ = stream.write_all(&body).await;
    }
}

/// The path of a GET, without its first slash.
async fn read_name(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if head.len() > HEAD_BYTES_MAX || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8(head).ok()?;
    let path = text.strip_prefix("GET /")?.split(' ').next()?;
    Some(path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn get(url: &str) -> (u16, Vec<u8>) {
        let response = reqwest::get(url).await.expect("the server answers");
        let status = response.status().as_u16();
        (status, response.bytes().await.expect("a body").to_vec())
    }

    #[tokio::test]
    async fn names_are_served_failed_changed_and_counted() {
        let server = CrlServer::start();
        let url = server.url("issuing.crl");
        assert_eq!(get(&url).await.0, 404);
        server.serve("issuing.crl", vec![1, 2, 3]);
        assert_eq!(get(&url).await, (200, vec![1, 2, 3]));
        server.serve("issuing.crl", vec![4]);
        assert_eq!(get(&url).await, (200, vec![4]));
        server.fail("issuing.crl", 503);
        assert_eq!(get(&url).await, (503, vec![]));
        assert_eq!(server.requests("issuing.crl"), 3);
        assert_eq!(server.requests("root.crl"), 0);
    }

    #[tokio::test]
    async fn a_hanging_name_gives_no_answer_and_harms_no_other() {
        let server = CrlServer::start();
        server.hang("issuing.crl");
        server.serve("root.crl", vec![7]);
        let hanging = tokio::time::timeout(
            Duration::from_millis(200),
            reqwest::get(server.url("issuing.crl")),
        );
        assert!(hanging.await.is_err());
        assert_eq!(get(&server.url("root.crl")).await, (200, vec![7]));
        assert_eq!(server.requests("issuing.crl"), 1);
    }
}
