//! The folder of what to trust.

use harness::cms::{Attributes, detached};
use jiff::ToSpan;

use super::desk::Desk;
use super::page;

#[test]
fn without_an_anchor_nothing_is_judged() {
    let desk = Desk::new();
    let file = desk.write(
        "vb.pdf",
        page().signed(&desk.person("Nguyễn Văn Thử"), desk.now).bytes(),
    );
    desk.remove_trust("root.crt");
    desk.remove_trust("root.der");
    let ended = desk.verify(&[&file]);
    assert_eq!((ended.code, &*ended.stdout), (1, ""));
    assert!(
        ended.stderr.contains("without an anchor nothing can be proven"),
        "{}",
        ended.stderr
    );
}

#[test]
fn nothing_is_judged_as_of_the_future() {
    let desk = Desk::new();
    let file = desk.write(
        "vb.pdf",
        page().signed(&desk.person("Nguyễn Văn Thử"), desk.now).bytes(),
    );
    let at = |ahead: jiff::Span| (desk.now + ahead).to_string();
    let (allowed, ahead) = (at(4.minutes()), at(10.minutes()));
    assert_eq!(desk.verify_as(&[&file], &["--at", &allowed]).code, 0);
    let ended = desk.verify_as(&[&file], &["--at", &ahead]);
    assert_eq!((ended.code, &*ended.stdout), (1, ""));
    assert!(ended.stderr.contains("lies in the future"), "{}", ended.stderr);
}

#[test]
fn another_root_proves_nothing() {
    let (desk, other) = (Desk::new(), Desk::new());
    let file = desk.write(
        "vb.pdf",
        page().signed(&desk.person("Nguyễn Văn Thử"), desk.now).bytes(),
    );
    let report = other.json(&[&file], 1);
    assert_eq!(report[0]["simple"][0]["indication"], "INDETERMINATE");
    // Its issuing authority alone, without the root that signed it, is no anchor either.
    std::fs::copy(
        desk.path("trust").join("issuing.crt"),
        other.path("trust").join("more.crt"),
    )
    .expect("copied");
    assert_eq!(other.json(&[&file], 1)[0]["verdict"], "indeterminate");
}

#[test]
fn a_file_that_cannot_be_used_ends_the_command() {
    let desk = Desk::new();
    let file = desk.write(
        "vb.pdf",
        page().signed(&desk.person("Nguyễn Văn Thử"), desk.now).bytes(),
    );
    let list = std::fs::read(desk.path("trust/issuing.crl")).expect("a list");
    for (name, bytes) in [
        ("note.txt", &b"about these files"[..]),
        ("half.crl", &list[..list.len() / 2]),
        ("half.pem", b"-----BEGIN CERTIFICATE-----\nMIIB"),
    ] {
        let path = desk.write(&format!("trust/{name}"), bytes);
        let ended = desk.verify(&[&file]);
        assert_eq!((ended.code, &*ended.stdout), (1, ""), "{name}");
        assert!(ended.stderr.contains(name), "{name}: {}", ended.stderr);
        std::fs::remove_file(path).expect("it was there");
    }
    // A signature brings certificates along; none of them is trusted for that.
    let person = desk.person("Người khác");
    let signature = detached(b"x", &person, desk.now, Attributes::Baseline);
    let signature = desk.write("trust/other.p7s", signature);
    assert_eq!(desk.verify(&[&file]).code, 1);
    std::fs::remove_file(signature).expect("it was there");
    desk.write("trust/.hidden", b"of somebody's desktop");
    assert_eq!(desk.verify(&[&file]).code, 0);
    std::fs::create_dir(desk.path("trust/folder")).expect("made");
    assert_eq!(desk.verify(&[&file]).code, 1);
    let absent = desk.path("absent");
    let ended = desk.run(&[&file], &["--trust", absent.to_str().expect("UTF-8")]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("there is no such file or folder"),
        "{}",
        ended.stderr
    );
}
