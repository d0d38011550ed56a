//! For arbitrary packets: parse after write is identity; for arbitrary bytes: no panic.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;

/// Text without white space around it, which is no part of a value. Strategies are boxed: nested ones as large as a
/// packet overflow the stack of a test thread.
fn text() -> BoxedStrategy<String> {
    let special = vec(
        prop::sample::select(vec![
            "Tr\u{1EA7}n",
            "\u{110}\u{1ED3}ng",
            "e\u{323}\u{302}",
            "<b>",
            "&amp;",
            "]]>",
            "\"",
            "'",
            "<!--",
            "&",
            " ",
            "\n",
            "\r",
            "\r\n",
            "\t",
            "\u{85}",
            "\u{A0}",
            "\u{FEFF}",
            "\u{FFFD}",
            "\u{1F600}",
            "424a/2020",
            "cid:",
            "x",
        ]),
        0..6,
    );
    prop_oneof![
        3 => special.prop_map(|pieces| pieces.concat()),
        1 => "\\PC{0,12}",
        1 => Just(String::new()),
    ]
    .prop_map(|text| {
        let allowed: String = text
            .chars()
            .filter(|character| trust::xml::is_character(*character))
            .collect();
        allowed.trim_matches(SPACE).to_owned()
    })
    .boxed()
}

fn filled() -> impl Strategy<Value = String> {
    text().prop_map(|text| if text.is_empty() { "0".to_owned() } else { text })
}

fn optional() -> impl Strategy<Value = Option<String>> {
    of(filled())
}

prop_compose! {
    fn organization()(
        (organ_id, name) in (text(), text()),
        (in_charge, address, email) in (optional(), optional(), optional()),
        (telephone, fax, website) in (optional(), optional(), optional()),
    ) -> Organization {
        Organization { organ_id, in_charge, name, address, email, telephone, fax, website }
    }
}

prop_compose! {
    fn response_for()(organ_id in text(), code in text(), date in text(), document_id in filled()) -> ResponseFor {
        ResponseFor { organ_id, code, promulgation_date: WrittenDate(date), document_id }
    }
}

prop_compose! {
    fn staff()(department in filled(), name in optional(), email in optional(), mobile in optional()) -> Staff {
        Staff { department: Some(department), name, email, mobile }
    }
}

prop_compose! {
    fn other_info()(
        priority in 0..5_usize,
        (sphere, typer_notation, promulgation_amount) in (optional(), optional(), optional()),
        (page_amount, direction, appendixes) in (optional(), optional(), vec(filled(), 0..3)),
    ) -> OtherInfo {
        let priority = Priority::parse(&priority.to_string()).expect("0 to 4");
        OtherInfo { priority, sphere, typer_notation, promulgation_amount, page_amount, direction, appendixes }
    }
}

prop_compose! {
    fn update()(
        document in filled(),
        receivers_changed in optional(),
        receivers in vec((text(), any::<bool>()), 0..3),
    ) -> UpdateInfo {
        let receivers = receivers.into_iter().map(|(organ_id, added)| {
            Receiver { organ_id, kind: if added { ReceiverType::Added } else { ReceiverType::Removed } }
        });
        UpdateInfo { document: Some(document), receivers_changed, receivers: receivers.collect() }
    }
}

prop_compose! {
    fn business()(
        kind in 0..4_usize,
        (document_id, reason, paper) in (optional(), optional(), optional()),
        update in of(update().boxed()),
        replacements in vec((filled(), vec(filled(), 0..3)), 0..3),
        staff in of(staff().boxed()),
    ) -> Business {
        let kind = BusinessType::parse(&kind.to_string()).expect("0 to 3");
        let replacements = replacements.into_iter().map(|(document_id, organ_ids)| Replacement { document_id, organ_ids });
        Business { kind, document_id, reason, paper, update, replacements: replacements.collect(), staff }
    }
}

/// Depths that a walk over subtrees gives: each at most one more than the one before; text only in leaves.
fn extensions() -> impl Strategy<Value = Vec<Extension>> {
    vec((0..4_usize, 0..4_usize, text()), 0..6).prop_map(|raw| {
        let mut extensions: Vec<Extension> = Vec::new();
        for (depth, name, text) in raw {
            let depth = extensions.last().map_or(0, |before| depth.min(before.depth + 1));
            if let Some(before) = extensions.last_mut().filter(|before| before.depth < depth) {
                before.text.clear();
            }
            extensions.push(Extension {
                depth,
                name: EXTENSIONS[name].to_owned(),
                text,
            });
        }
        extensions
    })
}

prop_compose! {
    fn attachment()(
        content_id in text(),
        name in text(),
        description in optional(),
        content_type in text(),
        bytes in vec(any::<u8>(), 0..40),
    ) -> Attachment {
        Attachment { content_id, name, description, content_type, content: Content::new(bytes) }
    }
}

prop_compose! {
    fn reference()(
        content_id in text(), content_type in text(), description in optional(), name in text(),
    ) -> Reference {
        Reference { content_id, content_type, description, name }
    }
}

prop_compose! {
    fn any_document()(
        (from, to) in (organization().boxed(), vec(organization().boxed(), 0..3)),
        (document_id, number, notation, subject, content) in (text(), text(), text(), text(), optional()),
        (place, date, code, detail, name) in (text(), text(), text(), optional(), text()),
        (competence, position, full_name, due_date) in (optional(), optional(), text(), optional()),
        (other, business) in (other_info().boxed(), business().boxed()),
        responses_for in vec(response_for().boxed(), 0..2),
        (steering_type, to_places, extensions) in (optional(), vec(filled(), 0..3), extensions()),
        traces in vec((text(), filled()), 0..3),
        manifest in vec(reference().boxed(), 0..3),
        attachments in vec(attachment().boxed(), 0..3),
    ) -> DocumentPacket {
        DocumentPacket {
            from, to, document_id, subject, content, other, responses_for, steering_type, to_places, extensions,
            business, manifest, attachments,
            code: DocumentCode { number, notation },
            promulgation: Promulgation { place, date: WrittenDate(date) },
            document_type: DocumentType { code, detail, name },
            signer: SignerInfo { competence, position, full_name },
            due_date: due_date.map(WrittenDate),
            traces: traces.into_iter().map(|(organ_id, at)| TraceHeader { organ_id, at: WrittenTime(at) }).collect(),
        }
    }
}

prop_compose! {
    fn any_status()(
        from in organization().boxed(),
        response_for in response_for().boxed(),
        staff in of(staff().boxed()),
        status in prop::sample::select(StatusCode::ALL.to_vec()),
        description in optional(),
        at in text(),
    ) -> StatusPacket {
        StatusPacket { from, response_for, staff, status, description, at: WrittenTime(at) }
    }
}

fn any_packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        3 => any_document().boxed().prop_map(|document| Packet::Document(Box::new(document))),
        1 => any_status().boxed().prop_map(|status| Packet::Status(Box::new(status))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn parse_after_write_is_identity(packet in any_packet()) {
        let bytes = packet.write().expect("allowed characters only");
        let again = reopen(&bytes);
        prop_assert_eq!(again.as_ref(), Ok(&packet));
        prop_assert_eq!(packet.write(), Ok(bytes), "one form only");
    }

    #[test]
    fn changed_packets_never_panic(
        packet in any_packet(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        from in any::<prop::sample::Index>(),
        length in 0..20_usize,
    ) {
        let mut bytes = packet.write().expect("allowed characters only");
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let from = from.index(bytes.len());
        bytes.drain(from..(from + length).min(bytes.len()));
        if let Ok(packet) = reopen(&bytes) {
            // Whatever is understood can be written, and means the same then.
            let written = packet.write().expect("what was read can be written");
            prop_assert_eq!(reopen(&written), Ok(packet.clone()));
            let _ = (packet.completeness(), packet.summary().to_string());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(reopen(&bytes).is_err());
    }
}
