//! Certificates, CMS signatures and receipts.

use domain::ids::{CaseId, Code};
use domain::receipt::{AddresseeResult, Receipt, ReceiptKind};
use harness::cms::{Attributes, detached};
use harness::pki::{Authority, Credential, RevocationPlan, certificate_pem};
use jiff::ToSpan;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use trust::cms::Content;
use trust::{Certificate, Digest, SoftwareKey, Time};

use super::desk::{Desk, ending};
use super::page;

#[test]
fn a_certificate_is_judged_by_itself() {
    let desk = Desk::new();
    let (good, bad) = (desk.person("Nguyễn Văn Thử"), desk.person("Trần Thị Thử"));
    desk.trust(&RevocationPlan::none(desk.now).and(&bad.serial, desk.now - 2.hours()));
    let pem = desk.write("good.txt", certificate_pem(&good.certificate));
    let ended = desk.verify(&[&pem]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    for part in [
        "(chứng thư số / certificate)",
        "Certificate 1 of 1: PASSED",
        "CN=Nguyễn Văn Thử",
        "gốc tin cậy",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    let der = desk.write("bad.crt", &bad.certificate);
    let report = desk.json(&[&pem, &der], 1);
    assert_eq!(
        (&report[0]["verdict"], &report[1]["verdict"]),
        (&"passed".into(), &"indeterminate".into())
    );
    assert_eq!(report[1]["simple"][0]["subIndication"], "REVOKED_NO_POE");
    // What `openssl x509 -text` writes before it is no matter; what is no certificate is.
    let text = format!("Certificate:\n    Data:\n{}", certificate_pem(&good.certificate));
    let told = desk.write("told.pem", &text);
    assert_eq!(desk.verify(&[&told]).code, 0);
    let other = desk.write("other.pem", text.replace("CERTIFICATE", "PUBLIC KEY"));
    assert_eq!(desk.verify(&[&other]).code, 1);
    // All of a PEM file count.
    let both = [
        certificate_pem(&good.certificate),
        certificate_pem(&bad.certificate),
    ]
    .concat();
    let both = desk.write("both.pem", both);
    let ended = desk.verify(&[&both]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("Certificate 2 of 2: NOT PROVEN"),
        "{}",
        ended.stdout
    );
    let damaged = certificate_pem(&good.certificate).replacen("MII", "M!I", 1);
    let damaged = desk.write(
        "damaged.pem",
        [certificate_pem(&good.certificate), damaged].concat(),
    );
    assert_eq!(desk.verify(&[&damaged]).code, 1);
}

#[test]
fn an_authority_and_an_anchor_are_told_from_signers() {
    let desk = Desk::new();
    let issuing = desk.write("issuing.crt", &desk.hierarchy.issuing.certificate);
    let root = desk.write("root.crt", &desk.hierarchy.root.certificate);
    let report = desk.json(&[&issuing, &root], 0);
    assert_eq!(report[0]["detailed"][0]["grounds"], "path");
    assert_eq!(report[1]["detailed"][0]["grounds"], "anchor");
    let ended = Authority::root(
        "Gốc đã hết hạn",
        "http://127.0.0.1",
        "old",
        ending(desk.now - 24.hours()),
    );
    let ended = desk.write("trust/old.crt", &ended.certificate);
    let report = desk.json(&[&ended], 1);
    assert_eq!(report[0]["detailed"][0]["grounds"], "anchor");
    assert_eq!(report[0]["simple"][0]["subIndication"], "OUT_OF_BOUNDS_NO_POE");
}

#[test]
fn a_detached_signature_is_over_the_file_beside_it_or_the_one_that_is_named() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Thử");
    let content = page().into_bytes();
    let signature = detached(&content, &person, desk.now, Attributes::Baseline);
    desk.write("vb.pdf", &content);
    let beside = desk.write("VB.pdf.P7S", &signature);
    let ended = desk.verify(&[&beside]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    assert!(ended.stdout.contains("Over the file:"), "{}", ended.stdout);
    let alone = desk.write("chu-ky.bin", &signature);
    let ended = desk.verify(&[&alone]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("nêu bằng --content"), "{}", ended.stdout);
    let named = desk.path("vb.pdf");
    let named = named.to_str().expect("UTF-8");
    assert_eq!(
        desk.json_as(&[&alone], &["--content", named], 0)[0]["kind"],
        "cms"
    );
    let other = desk.write("khac.pdf", b"another file");
    let other = other.to_str().expect("UTF-8");
    let report = desk.json_as(&[&alone], &["--content", other], 1);
    assert_eq!(report[0]["simple"][0]["subIndication"], "HASH_FAILURE");
    // The stem alone leaves several: the one whose digest it holds.
    desk.write("hai.txt", b"not it");
    desk.write("hai.pdf", &content);
    let stem = desk.write("hai.p7s", &signature);
    assert_eq!(desk.verify(&[&stem]).code, 0);
    desk.write("hai.pdf", b"nor this");
    assert_eq!(desk.verify(&[&stem]).code, 1);
}

#[test]
fn an_attached_signature_is_over_what_it_holds() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Thử");
    let signed = attached(b"a text", &person, desk.now);
    let good = desk.write("vb.p7m", &signed);
    assert_eq!(desk.json(&[&good], 0)[0]["kind"], "cms");
    let place = signed
        .windows(6)
        .position(|window| window == b"a text")
        .expect("it is inside");
    let mut changed = signed.clone();
    changed[place] = b'A';
    let changed = desk.write("changed.p7m", &changed);
    assert_eq!(
        desk.json(&[&changed], 1)[0]["simple"][0]["subIndication"],
        "HASH_FAILURE"
    );
    // As PEM; and with --content, which asks whether that is signed.
    let pem = certificate_pem(&signed).replace("CERTIFICATE", "CMS");
    let pem = desk.write("vb.pem", pem);
    assert_eq!(desk.verify(&[&pem]).code, 0);
    let ended = desk.verify_as(&[&pem], &["--content", "/dev/null"]);
    assert_eq!(ended.code, 1, "{}", ended.text());
    assert!(
        ended.stdout.contains("--content is for detached signatures"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_receipt_passes_under_an_anchor_or_under_the_certificate_that_is_named() {
    let desk = Desk::new();
    let device = desk.hierarchy.device("Cổng liên thông", "Tỉnh thử nghiệm");
    let chained = desk.write(
        "chained.receipt",
        attached(&receipt().encode(), &device, desk.now),
    );
    let ended = desk.verify(&[&chained]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    for part in [
        "biên nhận của cổng",
        "SubmissionAcceptance",
        "000.00.00.H53",
        "000.00.01.H53 (accepted)",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    let own = Gateway::new();
    let signed = own.sign(&receipt().encode(), desk.now.as_second());
    let file = desk.write("own.receipt", &signed);
    let ended = desk.verify(&[&file]);
    assert_eq!(ended.code, 1);
    for part in [
        "INDETERMINATE / NO_CERTIFICATE_CHAIN_FOUND",
        "--gateway-certificate",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    let certificate = desk.write("gateway.pem", certificate_pem(&own.der));
    let pin = ["--gateway-certificate", certificate.to_str().expect("UTF-8")];
    // Somebody with a good certificate is not for that the gateway that was named.
    let ended = desk.verify_as(&[&chained], &pin);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("is not signed under a certificate that"),
        "{}",
        ended.stdout
    );
    let other = desk.write("other.p7m", attached(b"no receipt", &device, desk.now));
    let ended = desk.verify_as(&[&other], &pin);
    assert!(
        ended.stdout.contains("--gateway-certificate was not used"),
        "{}",
        ended.stdout
    );
    let report = desk.json_as(&[&file], &pin, 0);
    assert_eq!(report[0]["detailed"][0]["grounds"], "pinned");
    assert_eq!(report[0]["facts"]["receipt"]["case"], receipt().case.to_string());
    let place = signed
        .windows(8)
        .position(|window| window == b"accepted")
        .expect("it is inside");
    let mut changed = signed;
    changed[place] = b'A';
    let changed = desk.write("changed.receipt", &changed);
    assert_eq!(desk.json_as(&[&changed], &pin, 1)[0]["verdict"], "failed");
    let stranger = Gateway::new().sign(&receipt().encode(), desk.now.as_second());
    let stranger = desk.write("stranger.receipt", &stranger);
    assert_eq!(desk.json_as(&[&stranger], &pin, 1)[0]["verdict"], "indeterminate");
    let ended = Gateway::until(2022);
    let old = desk.write(
        "old.receipt",
        ended.sign(&receipt().encode(), desk.now.as_second()),
    );
    let certificate = desk.write("old.pem", certificate_pem(&ended.der));
    let pinned = ["--gateway-certificate", certificate.to_str().expect("UTF-8")];
    assert_eq!(
        desk.json_as(&[&old], &pinned, 1)[0]["simple"][0]["subIndication"],
        "OUT_OF_BOUNDS_NO_POE"
    );
    // What is pinned signs receipts and nothing else.
    let text = desk.write("text.p7m", own.sign(b"a text", desk.now.as_second()));
    assert_eq!(desk.json_as(&[&text], &pin, 1)[0]["verdict"], "indeterminate");
}

fn attached(content: &[u8], signer: &Credential, at: jiff::Timestamp) -> Vec<u8> {
    let key = SoftwareKey::from_pkcs8(&signer.key.pkcs8()).expect("a key");
    let certificates = [vec![signer.certificate.clone()], signer.chain.clone()].concat();
    let certificates: Vec<Certificate> = certificates
        .iter()
        .map(|der| Certificate::from_der(der).expect("a certificate"))
        .collect();
    let certificates: Vec<&Certificate> = certificates.iter().collect();
    let at = Time::from_seconds(at.as_second());
    trust::cms::sign(Content::Attached(content), &key, &certificates, at).expect("signed")
}

fn receipt() -> Receipt {
    let gateway = Code::parse("000.00.00.H53").expect("a code");
    let time = Time::from_seconds(1_795_282_200);
    let case = CaseId::from_bytes([1; 16]);
    let mut receipt = Receipt::new(
        ReceiptKind::SubmissionAcceptance,
        gateway,
        case,
        time,
        Digest::of(b"event"),
    );
    receipt.submission = Some("s1".to_owned());
    receipt.addressees = vec![AddresseeResult {
        code: "000.00.01.H53".to_owned(),
        result: "accepted".to_owned(),
    }];
    receipt
}

/// A gateway with a key that it certified itself, as `gateway key new` makes it.
struct Gateway {
    key: SoftwareKey,
    der: Vec<u8>,
}

impl Gateway {
    fn new() -> Gateway {
        Gateway::until(2040)
    }

    /// With a certificate that ends with this year's beginning.
    fn until(year: i32) -> Gateway {
        let pair = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&pair).expect("a certificate");
        Gateway {
            key: SoftwareKey::from_pkcs8(&pair.serialize_der()).expect("a key"),
            der: certificate.der().to_vec(),
        }
    }

    fn sign(&self, content: &[u8], second: i64) -> Vec<u8> {
        let certificate = Certificate::from_der(&self.der).expect("a certificate");
        let at = Time::from_seconds(second);
        trust::cms::sign(Content::Attached(content), &self.key, &[&certificate], at).expect("signed")
    }
}
