//! An OCSP responder (RFC 6960) where a certification authority's would be: every answer is made by `openssl ocsp` when
//! it is asked for. It can be made to fail, and its requests are counted.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    pki::{Authority, Credential, certificate_pem},
    service::{Listener, Service, listen},
};

/// A request longer than this is not one of ours.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// What is said of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// Not revoked.
    Good,
    /// Revoked since the beginning of 2026.
    Revoked,
}

#[derive(Debug, Default)]
struct Desk {
    /// The authority that answers, and what it knows; none while the responder fails.
    authority: Option<Authority>,
    index: String,
    requests: u64,
}

/// A running responder on a loopback port; ended when dropped. Until [`OcspServer::answer`] it fails.
#[derive(Debug)]
pub struct OcspServer {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    _service: Service,
}

impl OcspServer {
    /// Starts a responder that cannot answer yet, so that its address can go into certificates made after it.
    pub fn start() -> OcspServer {
        let (listener, address) = listen();
        let desk = Arc::new(Mutex::new(Desk::default()));
        let service = Service::start("harness-ocsp-server", accept(listener, Arc::clone(&desk)));
        OcspServer {
            address,
            desk,
            _service: service,
        }
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://{}/ocsp", self.address)
    }

    /// From now on answers for `authority`, which knows these certificates and no others.
    pub fn answer(&self, authority: &Authority, issued: &[(&Credential, CertStatus)]) {
        let mut index = String::new();
        for (credential, status) in issued {
            let serial = credential.serial.iter().fold(String::new(), |mut text, octet| {
                let _ = write!(text, "{octet:02X}");
                text
            });
            // The form of `openssl ca`'s database: status, end, revocation, serial, file, subject.
            let (status, revoked) = match status {
                CertStatus::Good => ("V", ""),
                CertStatus::Revoked => ("R", "260101000000Z,keyCompromise"),
            };
            let _ = writeln!(
                index,
                "{status}\t491231000000Z\t{revoked}\t{serial}\tunknown\t/CN=Somebody"
            );
        }
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        (desk.authority, desk.index) = (Some(authority.clone()), index);
    }

    /// From now on answers 503.
    pub fn fail(&self) {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).authority = None;
    }

    /// How often it was asked.
    pub fn requests(&self) -> u64 {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).requests
    }
}

async fn accept(listener: Listener, desk: Arc<Mutex<Desk>>) {
    let listener = listener.open();
    loop {
        // One after the other: each answer costs a process of `openssl`.
        if let Ok((stream, _)) = listener.accept().await {
            answer(stream, &desk).await;
        }
    }
}

/// Answers one request and closes. A client that breaks off is its own matter.
async fn answer(mut stream: TcpStream, desk: &Mutex<Desk>) {
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    let (authority, index) = {
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.requests += 1;
        (desk.authority.clone(), desk.index.clone())
    };
    let (status, body) = match authority {
        Some(authority) => (200, answer_of(&authority, &index, &request)),
        None => (503, Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: application/ocsp-response\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    if stream.write_all(head.as_bytes()).await.is_ok() {
        let _ = stream.write_all(&body).await;
    }
}

/// What `openssl ocsp` answers this request with, in DER.
fn answer_of(authority: &Authority, index: &str, request: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("a fresh folder can be written");
    };
    write("ca.pem", certificate_pem(&authority.certificate).as_bytes());
    write("ca.key", authority.key.pem().as_bytes());
    write("index", index.as_bytes());
    write("request", request);
    let arguments = "ocsp -index index -CA ca.pem -rsigner ca.pem -rkey ca.key -reqin request -respout answer \
                     -nmin 10";
    run(folder.path(), arguments);
    std::fs::read(folder.path().join("answer")).expect("openssl has written its answer")
}

fn run(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "openssl {arguments}: {output:?}");
}

/// The body of a POST.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if bytes.len() > REQUEST_BYTES_MAX || stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))?;
        let body = head + 4;
        if bytes.len() >= body + length.parse::<usize>().ok()? {
            return Some(bytes.split_off(body));
        }
    }
}
