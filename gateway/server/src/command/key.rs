//! `gateway key`: the key that signs receipts.
//!
//! The certificate is made with rcgen: it stands in the lock file for the tests anyway, is kept by the people who keep
//! rustls, and writing X.509 a second time by hand would be one more thing to get wrong.

use std::path::PathBuf;

use clap::Subcommand;
use domain::ids::Code;
use rcgen::{CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256};

use super::text::Text;
use super::{CommandFault, Ending, write_private};

/// A receipt key lives so long; `gateway check` shows when it ends.
const VALIDITY_DAYS: i64 = 5 * 366;

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Tạo khóa P-256 và chứng thư tự ký / make a P-256 key and its self-signed certificate.
    New {
        /// Thư mục / where gateway.key and gateway.pem are written.
        #[arg(long)]
        out_dir: PathBuf,
        /// Mã của cổng, ghi vào chứng thư / the gateway's code, for the certificate.
        #[arg(long, default_value = "gateway")]
        code: String,
    },
}

pub(super) fn carry_out(command: &KeyCommand) -> Result<Ending, CommandFault> {
    let KeyCommand::New { out_dir, code } = command;
    let code = Code::parse(code).map_err(|_| CommandFault::CodeUnfit(code.clone()))?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(CommandFault::Key)?;
    let certificate = params(&code).self_signed(&key).map_err(CommandFault::Key)?;
    let (key_file, certificate_file) = (out_dir.join("gateway.key"), out_dir.join("gateway.pem"));
    let fault = |error| CommandFault::File {
        path: out_dir.clone(),
        error,
    };
    std::fs::create_dir_all(out_dir).map_err(fault)?;
    write_private(&key_file, &key.serialize_pem())?;
    write_private(&certificate_file, &certificate.pem())?;
    let shown = [
        key_file.display().to_string(),
        certificate_file.display().to_string(),
    ];
    Text::KeyMade.say(&[("key", &shown[0]), ("certificate", &shown[1])]);
    Ok(Ending::Done)
}

/// Only for signing: neither an authority nor a server.
fn params(code: &Code) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("gateway {code}"));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::ContentCommitment,
    ];
    let clock = crate::clock::Clock::start(std::time::Duration::from_secs(1));
    let day = |days: i64| {
        let seconds = clock.now().plus_seconds(days * 86_400).as_seconds();
        let since = std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        rcgen::date_time_ymd(1970, 1, 1) + since
    };
    // A day back, for verifiers whose clock is behind.
    (params.not_before, params.not_after) = (day(-1), day(VALIDITY_DAYS));
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_is_made_is_one_that_the_gateway_signs_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let out_dir = folder.path().to_owned();
        let command = KeyCommand::New {
            out_dir,
            code: "000.00.00.H53".to_owned(),
        };
        assert_eq!(carry_out(&command).expect("made"), Ending::Done);
        let config = crate::config::testing::config(folder.path(), "X", "");
        let now = crate::clock::Clock::start(config.gateway.clock_jump_max).now();
        let seal = crate::signer::load_seal(&config.gateway, now);
        let seal = seal.expect("key and certificate belong together, and it is valid");
        assert!(!seal.certificates[0].is_ca());
        let again = carry_out(&command).expect_err("a key is never overwritten");
        assert!(matches!(again, CommandFault::File { .. }), "{again}");
    }
}
