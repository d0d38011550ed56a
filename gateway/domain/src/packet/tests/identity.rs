//! What makes two packets the same document.

use super::*;

fn digest(change: impl FnOnce(&mut DocumentPacket)) -> trust::Digest {
    let mut packet = document();
    change(&mut packet);
    packet.contents_digest()
}

fn file(id: &str, bytes: &[u8]) -> Attachment {
    Attachment {
        content_id: id.into(),
        name: id.into(),
        description: None,
        content_type: String::new(),
        content: Content::new(bytes.to_vec()),
    }
}

fn receiver(organ_id: &str, kind: ReceiverType) -> Receiver {
    Receiver {
        organ_id: organ_id.into(),
        kind,
    }
}

#[test]
fn rebuilding_and_readdressing_do_not_change_it() {
    let same = document().contents_digest();
    assert_eq!(
        same,
        digest(|packet| packet.traces.push(TraceHeader {
            organ_id: "x".into(),
            ..TraceHeader::default()
        }))
    );
    assert_eq!(same, digest(|packet| packet.to.truncate(1)));
    assert_eq!(
        same,
        digest(|packet| packet.attachments[0].content_id = "other".into())
    );
    assert_eq!(
        same,
        digest(|packet| packet.business.document_id = Some("left over".into()))
    );
    let two = |order: [&'static [u8]; 2]| {
        digest(move |packet| packet.attachments = vec![file("1", order[0]), file("2", order[1])])
    };
    assert_eq!(two([b"a", b"b"]), two([b"b", b"a"]));
}

#[test]
fn other_contents_and_other_acts_change_it() {
    let update = |receivers: Vec<Receiver>| {
        digest(move |packet| {
            packet.business.kind = BusinessType::Update;
            packet.business.update = Some(UpdateInfo {
                receivers,
                ..UpdateInfo::default()
            });
        })
    };
    let replace = |id: &str, organ_ids: &[&str]| {
        let organ_ids = organ_ids.iter().map(|id| (*id).to_owned()).collect();
        let replacement = Replacement {
            document_id: id.to_owned(),
            organ_ids,
        };
        digest(move |packet| {
            packet.business.kind = BusinessType::Replace;
            packet.business.replacements = vec![replacement];
        })
    };
    let recall = |target: Option<&str>| {
        let target = target.map(str::to_owned);
        digest(move |packet| {
            packet.business.kind = BusinessType::Recall;
            packet.business.document_id = target;
        })
    };
    let (added, removed) = (ReceiverType::Added, ReceiverType::Removed);
    let all = [
        document().contents_digest(),
        digest(|packet| packet.attachments[0] = file("1", b"other")),
        digest(|packet| packet.attachments.clear()),
        digest(|packet| packet.attachments.push(file("2", b"%PDF-1.7 nothing"))),
        recall(None),
        recall(Some("other")),
        update(Vec::new()),
        update(vec![receiver("a", added)]),
        update(vec![receiver("a", removed)]),
        update(vec![receiver("a", added), receiver("b", added)]),
        replace("x", &["a", "b"]),
        replace("x", &["a"]),
        replace("xa", &[]),
        replace("y", &["a"]),
    ];
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    assert_eq!(replace("x", &["a", "b"]), replace("x", &["b", "a"]));
    assert_eq!(
        update(vec![receiver("a", added), receiver("b", added)]),
        update(vec![receiver("b", added), receiver("a", added)])
    );
}

#[test]
fn targets_and_addressees_are_told_once() {
    let mut packet = document();
    packet.to.push(packet.to[0].clone());
    assert_eq!(packet.addressees(), ["000.00.12.H53", "H53.14"]);
    assert_eq!(packet.targets(), Vec::<&str>::new());
    packet.business.kind = BusinessType::Recall;
    assert_eq!(packet.targets(), [packet.document_id.as_str()]);
    packet.business.document_id = Some("x".into());
    assert_eq!(packet.targets(), ["x"]);
    packet.business.kind = BusinessType::Replace;
    packet.business.replacements = vec![
        Replacement {
            document_id: "y".into(),
            organ_ids: Vec::new()
        };
        2
    ];
    assert_eq!(packet.targets(), ["y"]);
}
