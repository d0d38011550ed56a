//! Writes the seeds of the fuzz targets: one of each kind, whole, so that a fuzzer begins behind the first check.
//!
//! `corpus FOLDER` writes a folder for each target. Everything is made here, under names that nobody bears.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use domain::packet::{
    Attachment, Content, DocumentCode, DocumentPacket, DocumentType, Organization, Packet, Promulgation,
    Reference, SignerInfo, StatusCode, StatusPacket, WrittenDate, WrittenTime,
};
use harness::cms::{self, Attributes};
use harness::pdf::Pdf;
use harness::pki::{Hierarchy, RevocationPlan, certificate_pem};
use jiff::Timestamp;

/// Writes the seeds of the fuzz targets.
#[derive(Parser)]
struct Arguments {
    /// Where the folders of the targets are.
    folder: PathBuf,
}

fn main() {
    let Arguments { folder } = Arguments::parse();
    let now = Timestamp::now();
    let hierarchy = Hierarchy::new("http://127.0.0.1", now);
    let person = hierarchy.person("Người Ký", "Sở thử nghiệm");
    let organisation = hierarchy.organisation("Sở thử nghiệm", "Tỉnh thử nghiệm");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(name), bytes).expect("the folder can be written");
    };
    write("certificate", "root.der", &hierarchy.root.certificate);
    write("certificate", "issuing.der", &hierarchy.issuing.certificate);
    write("certificate", "person.der", &person.certificate);
    write("certificate", "organisation.der", &organisation.certificate);
    let plan = RevocationPlan::none(now).and(&[1, 2, 3], now);
    write("crl", "issuing.crl", &hierarchy.issuing.revocation_list(&plan));
    write(
        "crl",
        "root.crl",
        &hierarchy.root.revocation_list(&RevocationPlan::none(now)),
    );
    write(
        "cms",
        "detached.p7s",
        &cms::detached(b"content", &person, now, Attributes::Plain),
    );
    let pdf = Pdf::new("Công văn", 1_200)
        .signed(&person, now)
        .signed(&organisation, now);
    write("pdf", "plain.pdf", Pdf::new("Công văn", 1_200).bytes());
    write("pdf", "signed.pdf", pdf.bytes());
    let judged_at = now.as_second() + 3_600;
    fs::write(folder.join("now"), format!("{judged_at}\n")).expect("the folder can be written");
    let packet = document(Content::new(b"%PDF-1.4".to_vec()));
    write("edxml", "document.edxml", &packet);
    write("edxml", "status.edxml", &status());
    write("xml", "document.xml", &packet);
    write(
        "xml",
        "small.xml",
        b"<a xmlns='u' xmlns:p='v' p:b='1' xml:lang='vi'><!--c--><?p i?>t<p:c/>&amp;</a>",
    );
    write("zip", "plain.pdf", b"%PDF-1.4");
    write("zip", "wrapped.zip", &zip_of(b"%PDF-1.4"));
    xml_signatures(&write);
    let scratch = tempfile::tempdir().expect("a folder");
    let desk = Desk {
        folder: scratch.path(),
    };
    let pem = |certificate: &[u8]| certificate_pem(certificate);
    desk.write("issuing.pem", &pem(&hierarchy.issuing.certificate));
    desk.write("issuing.key", &hierarchy.issuing.key.pem());
    desk.write("person.pem", &pem(&person.certificate));
    let (answer, issuing) = (desk.answer(), &hierarchy.issuing);
    let material: [&[&[u8]]; 3] = [
        &[&issuing.certificate, &hierarchy.root.certificate],
        &[&issuing.revocation_list(&RevocationPlan::none(now))],
        &[&answer],
    ];
    let with_material = Pdf::new("Công văn", 1_200)
        .signed(&person, now)
        .with_material(material);
    write("pdf", "with-material.pdf", with_material.bytes());
    write("ocsp", "good.der", &answer);
    write("tsp", "response.tsr", &desk.time_stamp());
}

fn organization(code: &str) -> Organization {
    Organization {
        organ_id: code.to_owned(),
        name: "Sở thử nghiệm".to_owned(),
        ..Organization::default()
    }
}

fn document(content: Content) -> Vec<u8> {
    let packet = DocumentPacket {
        from: organization("000.00.01.X99"),
        to: vec![organization("000.00.02.X99")],
        document_id: "000.00.01.X99,2026/11/21,12/CV-TN".to_owned(),
        code: DocumentCode {
            number: "12".to_owned(),
            notation: "CV-TN".to_owned(),
        },
        promulgation: Promulgation {
            place: "Tỉnh thử nghiệm".to_owned(),
            date: WrittenDate("2026/11/21".to_owned()),
        },
        document_type: DocumentType {
            code: "1".to_owned(),
            detail: None,
            name: "Công văn".to_owned(),
        },
        subject: "Về việc thử".to_owned(),
        signer: SignerInfo {
            full_name: "Người Ký".to_owned(),
            ..SignerInfo::default()
        },
        manifest: vec![Reference {
            content_id: "cid:a".to_owned(),
            content_type: "application/pdf".to_owned(),
            description: None,
            name: "a.pdf".to_owned(),
        }],
        attachments: vec![Attachment {
            content_id: "cid:a".to_owned(),
            name: "a.pdf".to_owned(),
            description: None,
            content_type: "application/pdf".to_owned(),
            content,
        }],
        ..DocumentPacket::default()
    };
    let packet = Packet::Document(Box::new(packet));
    packet.write().expect("every text of it can be written")
}

fn status() -> Vec<u8> {
    let packet = StatusPacket {
        from: organization("000.00.02.X99"),
        response_for: domain::packet::ResponseFor {
            organ_id: "000.00.01.X99".to_owned(),
            code: "12/CV-TN".to_owned(),
            promulgation_date: WrittenDate("2026/11/21".to_owned()),
            document_id: "000.00.01.X99,2026/11/21,12/CV-TN".to_owned(),
        },
        status: StatusCode::ALL[0],
        description: None,
        at: WrittenTime("2026/11/21 10:00:00".to_owned()),
        staff: None,
    };
    let packet = Packet::Status(Box::new(packet));
    packet.write().expect("every text of it can be written")
}

fn zip_of(content: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer
        .start_file("00000000-0000-4000-8000-000000000000.pdf", options)
        .expect("an entry");
    writer.write_all(content).expect("memory takes it");
    writer.finish().expect("a zip").into_inner()
}

/// Signatures as they are written, with values that are none: what comes before the key is asked is the matter.
fn xml_signatures(write: &dyn Fn(&str, &str, &[u8])) {
    for (name, namespace, reference) in [
        ("enveloped.xml", " xmlns='http://www.w3.org/2000/09/xmldsig#'", ""),
        ("by-id.xml", " xmlns='http://www.w3.org/2000/09/xmldsig#'", "#a"),
        ("packet.xml", "", ""),
    ] {
        let text = format!(
            "<d Id='a'><x>1</x><Signature{namespace}><SignedInfo>\
             <CanonicalizationMethod Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'/>\
             <SignatureMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'/>\
             <Reference URI='{reference}'><Transforms>\
             <Transform Algorithm='http://www.w3.org/2000/09/xmldsig#enveloped-signature'/></Transforms>\
             <DigestMethod Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/><DigestValue>AAAA</DigestValue>\
             </Reference></SignedInfo><SignatureValue>AAAA</SignatureValue><KeyInfo><KeyValue><RSAKeyValue>\
             <Modulus>AQAB</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue></KeyInfo></Signature></d>"
        );
        write("xmldsig", name, text.as_bytes());
    }
}

/// A folder in which openssl works.
struct Desk<'a> {
    folder: &'a Path,
}

impl Desk<'_> {
    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("the folder can be written");
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.current_dir(self.folder).args(arguments.split(' '));
        let output = command.output().expect("openssl is installed: run ops/setup");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).expect("openssl wrote it")
    }

    /// An OCSP answer about the person.
    fn answer(&self) -> Vec<u8> {
        self.write("index.txt", "");
        self.openssl("ocsp -issuer issuing.pem -cert person.pem -reqout request.der -no_nonce");
        self.openssl(
            "ocsp -index index.txt -CA issuing.pem -rsigner issuing.pem -rkey issuing.key -reqin request.der \
             -ndays 30 -respout response.der",
        );
        self.read("response.der")
    }

    /// A time-stamp response.
    fn time_stamp(&self) -> Vec<u8> {
        self.write(
            "ts.cnf",
            "[req]\ndistinguished_name = dn\n[dn]\n[v3]\nextendedKeyUsage = critical,timeStamping\n\
             keyUsage = critical,digitalSignature\n[tsa]\ndefault_tsa = one\n[one]\nserial = serial\n\
             default_policy = 1.2.3.4\ndigests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\n",
        );
        self.write("serial", "01\n");
        self.write("data", "data");
        self.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -out tsa.pem -subj /CN=TSA \
             -days 3650 -config ts.cnf -extensions v3",
        );
        self.openssl("ts -query -data data -sha256 -cert -out query.tsq");
        self.openssl(
            "ts -reply -config ts.cnf -section one -queryfile query.tsq -signer tsa.pem -inkey tsa.key -out reply.tsr",
        );
        self.read("reply.tsr")
    }
}
