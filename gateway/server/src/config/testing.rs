//! A configuration with a key, for tests.

use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::Config;

/// In a folder of its own, for the gateway with this code; the certificate of its key is valid from the first day of one year
/// to that of another. With further lines at its end.
pub(crate) fn desk(code: &str, (from, until): (i32, i32), more: &str) -> (TempDir, Config) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    let certificate = params.self_signed(&key).expect("a certificate");
    std::fs::write(folder.path().join("gateway.key"), key.serialize_pem()).expect("written");
    std::fs::write(folder.path().join("gateway.pem"), certificate.pem()).expect("written");
    let config = config(folder.path(), code, more);
    (folder, config)
}

/// Of a folder in which the key lies, `gateway.key` and `gateway.pem`.
pub(crate) fn config(folder: &Path, code: &str, more: &str) -> Config {
    std::fs::write(folder.join("password"), "x").expect("written");
    let text = format!(
        "[gateway]\ncode = \"{code}\"\ndata_dir = \"data\"\nkey_file = \"gateway.key\"\n\
         certificate_file = \"gateway.pem\"\n[trust]\nanchors_dir = \".\"\n\
         [broker]\npassword = {{ file = \"password\" }}\n{more}\n"
    );
    Config::parse(&text, folder).expect("a configuration")
}
