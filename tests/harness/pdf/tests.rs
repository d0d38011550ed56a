//! Structure and coverage of signed files, read back without the writer's own bookkeeping.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::ToSpan;
use trust::Indication;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;
use crate::pki::{Hierarchy, RevocationPlan};

fn now() -> Timestamp {
    "2026-03-02T03:04:05Z".parse().expect("a timestamp")
}

/// Every ByteRange in the file, in order.
fn byte_ranges(file: &[u8]) -> Vec<[usize; 4]> {
    let text =
        String::from_utf8_lossy(&file.iter().map(|byte| byte & 0x7f).collect::<Vec<u8>>()).into_owned();
    text.match_indices("/ByteRange [")
        .map(|(place, mark)| {
            let numbers = text[place + mark.len()..].split(']').next().expect("closed");
            let numbers: Vec<usize> = numbers
                .split_whitespace()
                .map(|digits| digits.parse().expect("a number"))
                .collect();
            numbers.try_into().expect("four numbers")
        })
        .collect()
}

fn signature(file: &[u8], range: [usize; 4]) -> Vec<u8> {
    let digits = &file[range[1] + 1..range[2] - 1];
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
        .collect()
}

#[test]
fn a_file_has_the_size_it_was_ordered_in() {
    for bytes in [1_200, 2_000, 10_999, 11_000, 14_336, 100_000] {
        assert_eq!(Pdf::new("Cong van", bytes).bytes().len(), bytes);
    }
}

#[test]
fn every_cross_reference_points_at_its_object() {
    let pki = Hierarchy::new("http://127.0.0.1", now());
    let signer = pki.person("Nguyễn Văn A", "Sở Nội vụ");
    let pdf = Pdf::new("Cong van", 3_000)
        .signed(&signer, now())
        .signed(&signer, now());
    let file = pdf.bytes();
    let mut entries = 0;
    let lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
    for pair in lines.windows(2) {
        let Some(entry) = std::str::from_utf8(pair[1])
            .ok()
            .and_then(|line| line.strip_suffix(" 00000 n "))
        else {
            continue;
        };
        let number = std::str::from_utf8(pair[0])
            .expect("ASCII")
            .split(' ')
            .next()
            .expect("a number");
        let offset: usize = entry.parse().expect("ten digits");
        assert!(
            file[offset..].starts_with(format!("{number} 0 obj\n").as_bytes()),
            "object {number} at {offset}"
        );
        entries += 1;
    }
    assert_eq!(entries, 6 + 4 + 4);
}

#[test]
fn each_signature_covers_the_file_as_it_stood_but_itself() {
    let pki = Hierarchy::new("http://127.0.0.1", now());
    let person = pki.person("Nguyễn Văn A", "Sở Nội vụ");
    let organisation = pki.organisation("Sở Nội vụ", "UBND tỉnh");
    let first = Pdf::new("Cong van", 3_000).signed(&person, now());
    let length_then = first.bytes().len();
    let both = first.clone().signed(&organisation, now());
    assert!(
        both.bytes().starts_with(first.bytes()),
        "the second is an incremental update"
    );

    let ranges = byte_ranges(both.bytes());
    assert_eq!(ranges.len(), 2);
    for (range, end) in ranges.iter().zip([length_then, both.bytes().len()]) {
        assert_eq!(range[0], 0);
        assert_eq!(
            (both.bytes()[range[1]], both.bytes()[range[2] - 1]),
            (b'<', b'>'),
            "only the string is left out"
        );
        assert_eq!(range[2] + range[3], end, "to the end of its revision");
        let covered = [&both.bytes()[..range[1]], &both.bytes()[range[2]..end]].concat();
        let cms = signature(both.bytes(), *range);
        let expected = digest(&SHA256, &covered);
        assert!(
            find(&cms, expected.as_ref()).is_some(),
            "the message digest is that of the covered bytes"
        );
    }
}

#[test]
fn a_tampered_file_no_longer_has_the_digest_it_was_signed_with() {
    let pki = Hierarchy::new("http://127.0.0.1", now());
    let pdf = Pdf::new("Cong van", 3_000).signed(&pki.person("Nguyễn Văn A", "Sở Nội vụ"), now());
    let broken = pdf.clone().tampered();
    let differing = pdf
        .bytes()
        .iter()
        .zip(broken.bytes())
        .filter(|(one, other)| one != other)
        .count();
    assert_eq!((differing, pdf.bytes().len()), (1, broken.bytes().len()));
    let [_, before, after, _] = byte_ranges(broken.bytes())[0];
    let covered = [&broken.bytes()[..before], &broken.bytes()[after..]].concat();
    assert!(
        find(
            &signature(broken.bytes(), byte_ranges(broken.bytes())[0]),
            digest(&SHA256, &covered).as_ref()
        )
        .is_none()
    );
}

#[test]
fn a_signature_verifies_under_the_key_of_the_certificate_it_carries() {
    let pki = Hierarchy::new("http://127.0.0.1", now());
    let signer = pki.device("Trục liên thông", "Sở Nội vụ");
    for attributes in [Attributes::Plain, Attributes::Baseline] {
        let cms = cms::detached(b"content", &signer, now(), attributes);
        assert!(find(&cms, &signer.certificate).is_some() && find(&cms, &pki.issuing.certificate).is_some());
        assert!(
            find(&cms, &pki.root.certificate).is_none(),
            "the anchor does not travel"
        );
        // The signed attributes stand as [0] and are signed as SET OF: RFC 5652 section 5.4.
        let digest_place = find(&cms, digest(&SHA256, b"content").as_ref()).expect("the message digest");
        let start = (0..digest_place)
            .rev()
            .find(|place| cms[*place] == 0xa0)
            .expect("signed attributes");
        let length = match cms[start + 1] {
            short @ 0..=127 => 2 + usize::from(short),
            0x81 => 3 + usize::from(cms[start + 2]),
            other => panic!("attributes of this length were not expected: {other:#x}"),
        };
        let mut signed = cms[start..start + length].to_vec();
        signed[0] = 0x31;
        let signature = &cms[cms.len() - 256..];
        let (_, certificate) = X509Certificate::from_der(&signer.certificate).expect("a certificate");
        let key = &certificate.public_key().subject_public_key.data;
        aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256, key)
            .verify(&signed, signature)
            .expect("the signature is over these attributes");
    }
}

/// What the crate `trust` says to the harness's files, with these revocation lists: the two were written apart.
fn judged(pdf: &Pdf, pki: &Hierarchy, lists: &[Vec<u8>]) -> Vec<Indication> {
    let root = trust::Certificate::from_der(&pki.root.certificate).expect("a certificate");
    let lists = lists
        .iter()
        .map(|list| Arc::new(trust::RevocationList::from_der(list.clone()).expect("a list")))
        .collect();
    let snapshot = trust::Snapshot::new(
        vec![Arc::new(root)],
        Vec::new(),
        lists,
        trust::Policy::default(),
        1,
    );
    match trust::pdf::validate(
        pdf.bytes(),
        &snapshot,
        trust::Time::from_seconds(now().as_second()),
    ) {
        trust::PdfReport::Signed(reports) => reports.iter().map(|report| report.indication).collect(),
        other @ (trust::PdfReport::Unsigned | trust::PdfReport::Refused(_)) => {
            panic!("not judged: {other:?}")
        }
    }
}

#[test]
fn the_judge_of_the_gateway_agrees_about_what_was_made() {
    let pki = Hierarchy::new("http://127.0.0.1", now());
    let (person, organisation) = (
        pki.person("Nguyễn Văn A", "Sở Nội vụ"),
        pki.organisation("Sở Nội vụ", "UBND"),
    );
    let earlier = now() - 1.minute();
    let cades = Seal {
        sub_filter: SubFilter::Cades,
        ..Seal::new(&organisation, earlier)
    };
    let pdf = Pdf::new("Cong van", 3_000).signed(&person, earlier).sealed(cades);
    let none = RevocationPlan::none(now());
    let root_list = pki.root.revocation_list(&none);
    let fresh = [root_list.clone(), pki.issuing.revocation_list(&none)];

    let passed = judged(&pdf, &pki, &fresh);
    assert!(
        matches!(passed[..], [Indication::TotalPassed, Indication::TotalPassed]),
        "{passed:?}"
    );
    let broken = judged(&pdf.clone().tampered(), &pki, &fresh);
    assert!(
        matches!(
            broken[..],
            [Indication::TotalFailed(_), Indication::TotalFailed(_)]
        ),
        "{broken:?}"
    );
    let unknown = judged(&pdf, &pki, std::slice::from_ref(&root_list));
    assert!(
        matches!(
            unknown[..],
            [Indication::Indeterminate(_), Indication::Indeterminate(_)]
        ),
        "{unknown:?}"
    );
    let revoking = none.and(&person.serial, now() - 1.hour());
    let revoked = judged(&pdf, &pki, &[root_list, pki.issuing.revocation_list(&revoking)]);
    assert!(!matches!(revoked[0], Indication::TotalPassed), "{revoked:?}");
    assert!(
        matches!(revoked[1], Indication::TotalPassed),
        "the other signer is not revoked: {revoked:?}"
    );
}
