//! `gateway verify`, the real binary: each kind of file passed and failed, what it says to people and to programs, and how it
//! ends.

mod desk;
mod fetching;
mod packets;
mod schema;
mod signatures;
mod trusting;

use harness::pdf::Pdf;
use harness::pki::RevocationPlan;
use jiff::ToSpan;

use desk::Desk;

/// Octets of a page before it is signed.
const PAGE_BYTES: usize = 2_500;

fn page() -> Pdf {
    Pdf::new("Cong van so 1", PAGE_BYTES)
}

#[test]
fn a_good_pdf_passes_and_the_report_says_by_what() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Thử");
    let agency = desk.hierarchy.organisation("Sở Thử nghiệm", "Tỉnh thử nghiệm");
    let pdf = page().signed(&person, desk.now).signed(&agency, desk.now);
    let file = desk.write("vb.pdf", pdf.bytes());
    let ended = desk.verify(&[&file]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    for part in [
        "ĐẠT (TOTAL-PASSED)",
        "Signature 2 of 2: PASSED",
        "CN=Nguyễn Văn Thử",
        "revision 2 of 3",
        "a further signature",
        "cả tệp (phiên bản 3/3)",
        "not revoked, by the revocation list of",
        "số 01",
        "RootCA thử nghiệm: gốc tin cậy",
        "not proven; judged as of the time of validation",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    let report = desk.json(&[&file], 0);
    let file = &report[0];
    assert_eq!(
        (&file["kind"], &file["verdict"]),
        (&"pdf".into(), &"passed".into())
    );
    let simple = file["simple"].as_array().expect("a list");
    assert_eq!(simple.len(), 2);
    assert!(
        simple
            .iter()
            .all(|one| one["indication"] == "TOTAL-PASSED" && one["bestSignatureTime"].is_null())
    );
    assert_eq!(
        file["facts"]["lists"].as_array().map(Vec::len),
        Some(2),
        "{}",
        file["facts"]
    );
    let checks = file["detailed"][0]["checks"].as_array().expect("a list");
    let told: Vec<_> = checks
        .iter()
        .map(|one| one["check"].as_str().unwrap_or_default())
        .collect();
    let order = [
        "format",
        "signingCertificate",
        "cryptography",
        "path",
        "revocation",
        "revocation",
        "acceptance",
        "timeStamps",
        "coverage",
    ];
    assert_eq!(told, order);
    assert!(
        checks
            .iter()
            .all(|one| one["result"] == "passed" || one["result"] == "notApplicable")
    );
}

#[test]
fn a_pdf_that_was_changed_fails_and_one_that_nobody_signed_does_not_pass() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Thử");
    let good = page().signed(&person, desk.now);
    let changed = desk.write("changed.pdf", good.clone().tampered().bytes());
    let ended = desk.verify(&[&changed]);
    assert_eq!(ended.code, 1);
    for part in [
        "TOTAL-FAILED / HASH_FAILURE",
        "nội dung đã bị thay đổi sau khi ký",
        "What to do: Ask the sender",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    let unsigned = desk.write("unsigned.pdf", page().bytes());
    let ended = desk.verify(&[&unsigned]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("no signature, so that nothing is proven"),
        "{}",
        ended.stdout
    );
    let longer = [good.bytes(), b"\n% and more\n"].concat();
    let longer = desk.write("longer.pdf", &longer);
    let ended = desk.verify(&[&longer]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("có dữ liệu thừa sau cuối tệp"),
        "{}",
        ended.stdout
    );
    let report = desk.json(&[&changed, &unsigned, &longer], 1);
    let verdicts = report
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| file["verdict"].as_str());
    assert_eq!(
        verdicts.collect::<Vec<_>>(),
        [Some("failed"), Some("unsigned"), Some("failed")]
    );
}

#[test]
fn a_revoked_signer_fails_with_the_list_that_says_so() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Thử");
    let file = desk.write("vb.pdf", page().signed(&person, desk.now).bytes());
    let plan = RevocationPlan::none(desk.now).and(&person.serial, desk.now - 2.hours());
    desk.trust(&plan);
    let ended = desk.verify(&[&file]);
    assert_eq!(ended.code, 1);
    for part in [
        "INDETERMINATE / REVOKED_NO_POE",
        "ngừng hoạt động",
        "REVOKED or on hold since",
        "number 02",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    let report = desk.json(&[&file], 1);
    assert_eq!(report[0]["simple"][0]["subIndication"], "REVOKED_NO_POE");
    let checks = report[0]["detailed"][0]["checks"].as_array().expect("a list");
    let failed: Vec<_> = checks.iter().filter(|one| one["result"] == "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["failure"]["code"], "revoked");
    assert_eq!(failed[0]["facts"], serde_json::json!(["l1"]));
}

#[test]
fn an_unknown_revocation_is_try_later_and_names_the_list() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Thử");
    let file = desk.write("vb.pdf", page().signed(&person, desk.now).bytes());
    desk.remove_trust("issuing.crl");
    let ended = desk.verify(&[&file]);
    assert_eq!(ended.code, 1);
    for part in [
        "INDETERMINATE / TRY_LATER",
        "Thiếu danh sách thu hồi còn hiệu lực của",
        "CN=CA thử nghiệm phục vụ các cơ quan",
        "http://ca.example/issuing.crl",
        "its revocation is not settled",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    let report = desk.json(&[&file], 1);
    assert_eq!(report[0]["verdict"], "indeterminate");
    assert_eq!(
        report[0]["detailed"][0]["needs"][0]["urls"][0],
        "http://ca.example/issuing.crl"
    );
}

#[test]
fn time_is_what_somebody_says_it_is() {
    let desk = Desk::new();
    let person = desk.person_until("Trần Thị Thử", desk.now - 24.hours());
    let file = desk.write("old.pdf", page().signed(&person, desk.now - 48.hours()).bytes());
    let ended = desk.verify(&[&file]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("INDETERMINATE / OUT_OF_BOUNDS_NO_POE"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("đã hết hạn từ"), "{}", ended.stdout);
    let person = desk.person("Nguyễn Văn Thử");
    let file = desk.write("vb.pdf", page().signed(&person, desk.now).bytes());
    let ended = desk.verify_as(&[&file], &["--at", &desk.now.to_string()]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    let ended = desk.verify_as(&[&file], &["--at", "yesterday"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("RFC 3339"), "{}", ended.stderr);
}

#[test]
fn one_bad_file_among_good_ones_is_told_and_ends_with_1() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Thử");
    let good = desk.write("vb.pdf", page().signed(&person, desk.now).bytes());
    let garbage = desk.write("garbage.pdf", b"not a document\n");
    let absent = desk.path("absent.pdf");
    let ended = desk.verify(&[&good, &garbage, &absent]);
    assert_eq!(ended.code, 1);
    for part in [
        "of no known kind",
        "Đã thử: PDF (%PDF- trong 1024 byte đầu)",
        "không có tệp hoặc thư mục này",
        "1/3 tệp đạt / 1 of 3 files passed",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    let report = desk.json(&[&good, &garbage, &absent], 1);
    let verdicts = report
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| file["verdict"].as_str());
    assert_eq!(
        verdicts.collect::<Vec<_>>(),
        [Some("passed"), Some("unreadable"), Some("unreadable")]
    );
    assert_eq!(desk.verify(&[]).code, 2);
}

#[test]
fn a_file_is_read_up_to_its_limit() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Thử");
    let pdf = page().signed(&person, desk.now).into_bytes();
    let file = desk.write("vb.pdf", &pdf);
    let ended = desk.verify_as(&[&file], &["--bytes-max", &pdf.len().to_string()]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    let ended = desk.verify_as(&[&file], &["--bytes-max", &(pdf.len() - 1).to_string()]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("raise --bytes-max"), "{}", ended.stdout);
}

#[test]
fn a_name_moves_no_cursor_and_forges_no_line() {
    let desk = Desk::new();
    let person = desk.person("A\u{1b}[2K\r\u{202e}ĐẠT\nB");
    let file = desk.write("vb\u{1b}[1A\n.pdf", page().signed(&person, desk.now).bytes());
    let ended = desk.verify(&[&file]);
    let is_harmful = |letter: &char| (letter.is_control() && *letter != '\n') || *letter == '\u{202e}';
    assert_eq!(ended.stdout.chars().find(is_harmful), None, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("vb\\u{1b}[1A\\u{a}.pdf"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("CN=A\\u{1b}[2K"), "{}", ended.stdout);
}
