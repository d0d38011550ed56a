//! Why the gateway cannot sign, in words.

use std::path::Path;

use domain::receipt::vietnam_time;

use super::file;
use crate::command::text::{Said, Text};
use crate::signer::{Pkcs12Fault, SignerFault};

/// In words: which key, what is wrong with it, and what to do.
pub(super) fn signer(fault: &SignerFault) -> Said {
    match fault {
        SignerFault::Read { path, error } => file(path, error),
        SignerFault::Key { path, fault } => Text::KeyUnfit
            .said()
            .with("path", path.display())
            .with("fault", fault),
        SignerFault::Token { token, key, fault } => Text::KeyInToken
            .said()
            .with("token", token)
            .with("key", key)
            .with("fault", fault),
        SignerFault::Pkcs12 { path, fault } => Text::KeyInPkcs12
            .said()
            .with("path", path.display())
            .about("fault", &pkcs12(path, *fault)),
        SignerFault::NoCertificate(path) => Text::KeyNoCertificate.said().with("path", path.display()),
        SignerFault::Mismatch { certificate, key } => Text::KeyMismatch
            .said()
            .with("certificate", certificate.display())
            .with("key", key),
        SignerFault::Early {
            path,
            subject,
            begins,
        } => Text::KeyEarly
            .said()
            .with("path", path.display())
            .with("subject", subject)
            .with("begins", vietnam_time(*begins)),
        SignerFault::Ended { path, subject, ended } => Text::KeyEnded
            .said()
            .with("path", path.display())
            .with("subject", subject)
            .with("ended", vietnam_time(*ended)),
    }
}

/// What is wrong with a PKCS#12 file; where another program can write it so that it is read, how.
fn pkcs12(path: &Path, fault: Pkcs12Fault) -> Said {
    match fault {
        Pkcs12Fault::Size | Pkcs12Fault::Bags => Text::Pkcs12Large.said(),
        Pkcs12Fault::Iterations => Text::Pkcs12Iterations.said().with("convert", conversion(path)),
        Pkcs12Fault::Malformed => Text::Pkcs12Malformed.said().with("convert", conversion(path)),
        Pkcs12Fault::Unproven => Text::Pkcs12Unproven.said().with("convert", conversion(path)),
        Pkcs12Fault::Algorithm(algorithm) => Text::Pkcs12Algorithm
            .said()
            .with("algorithm", algorithm)
            .with("convert", conversion(path)),
        Pkcs12Fault::Password => Text::Pkcs12Password.said(),
        Pkcs12Fault::KeyAbsent => Text::Pkcs12NoKey.said(),
        Pkcs12Fault::KeyAmbiguous => Text::Pkcs12SeveralKeys.said(),
        Pkcs12Fault::KeyUnfit => Text::Pkcs12KeyUnfit.said(),
        Pkcs12Fault::CertificateAbsent => Text::Pkcs12NoCertificate.said(),
        Pkcs12Fault::CertificateUnfit => Text::Pkcs12CertificateUnfit.said(),
        Pkcs12Fault::Mismatch => Text::Pkcs12Mismatch.said(),
    }
}

/// The commands that write a file anew as OpenSSL writes it today; they ask for the passwords.
fn conversion(path: &Path) -> String {
    format!(
        "openssl pkcs12 -legacy -in {} -noenc -out tmp.pem; openssl pkcs12 -export -in tmp.pem -out new.p12; \
         shred -u tmp.pem",
        path.display()
    )
}
