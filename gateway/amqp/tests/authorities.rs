//! Who may vouch for a broker: TLS over loopback, with authorities made on the spot.

use std::ffi::OsString;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use amqp::{Authorities, ConnectFault, Identity, IdentityFault, PemFault, Tls, connect};
use lapin::ConnectionProperties;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// Names the folder of certificates to the process in which the system trusts `other`.
const FOLDER: &str = "AMQP_TEST_FOLDER";
/// How long anything may take beside builds on the same machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a client of AMQP 0-9-1 says first.
const GREETING: [u8; 8] = *b"AMQP\0\0\x09\x01";

/// Writes an authority, and what it issued to a server and to a client.
fn write_authority(folder: &Path, name: &str) {
    let write = |file: &str, text: &str| std::fs::write(folder.join(file), text).expect("a file");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    write(
        &format!("{name}.pem"),
        &params.self_signed(&key).expect("a certificate").pem(),
    );
    let issuer = Issuer::new(params, key);
    for (whom, at) in [("server", "127.0.0.1"), ("client", "client.test")] {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![at.to_owned()]).expect("a name");
        let issued = params.signed_by(&key, &issuer).expect("a certificate");
        write(&format!("{name}-{whom}.pem"), &issued.pem());
        write(&format!("{name}-{whom}.key"), &key.serialize_pem());
    }
}

fn read(folder: &Path, file: &str) -> Vec<u8> {
    std::fs::read(folder.join(file)).expect("a file")
}

/// The first words over TLS, and whether the caller has shown a certificate (of `own`).
type Heard = ([u8; 8], bool);

/// A broker certified by `authority`, for one call.
fn broker(folder: &Path, authority: &str) -> (SocketAddr, JoinHandle<io::Result<Heard>>) {
    let chain =
        vec![CertificateDer::from_pem_slice(&read(folder, &format!("{authority}-server.pem"))).expect("PEM")];
    let key = PrivateKeyDer::from_pem_slice(&read(folder, &format!("{authority}-server.key"))).expect("PEM");
    let mut callers = RootCertStore::empty();
    let own = CertificateDer::from_pem_slice(&read(folder, "own.pem")).expect("PEM");
    callers.add(own).expect("an authority");
    let verifier = WebPkiClientVerifier::builder(Arc::new(callers)).allow_unauthenticated();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(chain, key)
        .expect("a certificate");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let heard = spawn(move || {
        let (socket, _) = listener.accept()?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let session = ServerConnection::new(Arc::new(config)).expect("a session");
        let mut stream = StreamOwned::new(session, socket);
        let mut greeting = [0; 8];
        stream.read_exact(&mut greeting)?;
        Ok((greeting, stream.conn.peer_certificates().is_some()))
    });
    (address, heard)
}

/// Calls a broker certified by `authority`: what it heard, or why it was not let to.
async fn call(folder: &Path, authority: &str, tls: Tls) -> Result<Heard, ConnectFault> {
    let (address, heard) = broker(folder, authority);
    let uri = format!("amqps://user:word@{address}/host")
        .parse()
        .expect("an address");
    // It never answers the greeting, and hangs up.
    let called = connect(uri, ConnectionProperties::default(), tls, PATIENCE).await;
    let fault = called.expect_err("no broker of AMQP");
    let heard = tokio::task::spawn_blocking(|| heard.join().expect("no panic"));
    heard.await.expect("no panic").map_err(|_| fault)
}

fn assert_unknown_issuer(called: Result<Heard, ConnectFault>, case: &str) {
    let fault = called.expect_err(case);
    assert!(
        matches!(&fault, ConnectFault::Refused(fault) if fault.to_string().contains("UnknownIssuer")),
        "{case}: {fault}"
    );
}

/// What holds where the system trusts `other`, and only it.
async fn calls(folder: &Path) {
    let own = || Some(Authorities::from_pem(&read(folder, "own.pem")).expect("authorities"));
    let only_own = || Tls {
        authorities: own(),
        identity: None,
    };
    let heard = call(folder, "own", only_own()).await.expect("certified by own");
    assert_eq!(heard, (GREETING, false));
    let called = call(folder, "other", only_own()).await;
    assert_unknown_issuer(called, "the system's authorities are not asked beside given ones");

    let (chain, key) = (read(folder, "own-client.pem"), read(folder, "own-client.key"));
    let tls = Tls {
        authorities: own(),
        identity: Some(Identity::from_pem(&chain, &key).expect("an identity")),
    };
    let heard = call(folder, "own", tls).await.expect("certified by own");
    assert_eq!(heard, (GREETING, true), "it shows its certificate");

    let heard = call(folder, "other", Tls::default()).await;
    assert_eq!(
        heard.expect("the system is asked where none are given"),
        (GREETING, false)
    );
    let called = call(folder, "own", Tls::default()).await;
    assert_unknown_issuer(called, "the system does not know it");
}

/// The system's authorities are what the environment of a process says at its start: hence this test starts itself
/// again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_given_authorities_vouch_for_a_broker() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .expect("the only one");
        return calls(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    write_authority(folder.path(), "own");
    write_authority(folder.path(), "other");
    let name = "only_the_given_authorities_vouch_for_a_broker";
    let ended = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SSL_CERT_FILE", folder.path().join("other.pem"))
        .env("SSL_CERT_DIR", OsString::new())
        .output()
        .expect("it runs");
    let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(
        ended.status.success() && said[0].contains("1 passed"),
        "{}",
        said.concat()
    );
}

#[test]
fn a_pem_without_usable_certificates_is_a_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    write_authority(folder.path(), "own");
    let (own, chain) = (
        read(folder.path(), "own.pem"),
        read(folder.path(), "own-client.pem"),
    );
    let key = read(folder.path(), "own-client.key");
    let fault = |pem: &[u8]| Authorities::from_pem(pem).expect_err("a fault");
    assert_eq!(fault(b""), PemFault::Absent);
    assert_eq!(fault(b"own"), PemFault::Absent);
    assert_eq!(fault(&key), PemFault::Absent, "a key is no authority");
    let hollow = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let damaged = [own.as_slice(), hollow].concat();
    assert_eq!(fault(&damaged), PemFault::Certificate { number: 2 });
    let cut = &own[..own.len() / 2];
    assert_eq!(fault(cut), PemFault::Certificate { number: 1 });

    let fault = |chain: &[u8], key: &[u8]| Identity::from_pem(chain, key).expect_err("a fault");
    assert_eq!(fault(b"", &key), IdentityFault::Chain(PemFault::Absent));
    assert_eq!(fault(&chain, b""), IdentityFault::Key);
    let identity = Identity::from_pem(&chain, &key).expect("an identity");
    assert!(
        format!("{identity:?}").contains("elided"),
        "a key is never printed"
    );
}
