//! Every dialect that carries meaning gives the same packet; what is ambiguous or foreign is refused by name.

use super::*;

fn text() -> String {
    String::from_utf8(document().write().expect("writable")).expect("UTF-8")
}

fn assert_same(dialect: &str) {
    match reopen(dialect.as_bytes()) {
        Ok(Packet::Document(packet)) => assert_eq!(*packet, document(), "{dialect}"),
        other => panic!("{other:?} for {dialect}"),
    }
}

fn replaced(from: &str, to: &str) -> String {
    let text = text();
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

#[test]
fn prefixes_and_their_absence_do_not_matter() {
    assert_same(&text().replace("edXML:", "x:").replace("xmlns:edXML", "xmlns:x"));
    assert_same(&text().replace("<edXML:", "<").replace("</edXML:", "</"));
    let root_prefixed = text()
        .replace("<edXML xmlns=", "<edXML:edXML xmlns:edXML=")
        .replace("</edXML>", "</edXML:edXML>");
    assert_same(&root_prefixed);
    assert_same(
        &text()
            .replace('\n', "\r\n")
            .replace("<edXML:OrganId>", "<edXML:OrganId>\n  \t"),
    );
}

#[test]
fn element_order_does_not_matter() {
    let text = text();
    let cut = |start: &str, end: &str| {
        let from = text.find(start).expect("there");
        let to = text.find(end).expect("there") + end.len();
        (
            text[from..to].to_owned(),
            format!("{}{}", &text[..from], &text[to..]),
        )
    };
    let (subject, rest) = cut("<edXML:Subject>", "</edXML:Subject>");
    assert_same(&rest.replace(
        "<edXML:MessageHeader>",
        &format!("<edXML:MessageHeader>{subject}"),
    ));
    let (trace, rest) = cut("<edXML:TraceHeaderList>", "</edXML:TraceHeaderList>");
    assert_same(&rest.replace("<edXML:edXMLHeader>", &format!("<edXML:edXMLHeader>{trace}")));
    let (attachments, rest) = cut("<AttachmentEncoded>", "</AttachmentEncoded>");
    assert_same(&rest.replace(
        "<edXML:edXMLEnvelope",
        &format!("{attachments}<edXML:edXMLEnvelope"),
    ));
    assert_same(&rest.replace("<edXML:edXMLBody>", &format!("<edXML:edXMLBody>{attachments}")));
}

#[test]
fn references_manifests_and_contents_are_read_in_every_form() {
    assert_same(&replaced("cid:", ""));
    assert_same(&replaced("cid:", "CID:"));
    assert_same(&replaced("edXMLManifest", "Manifest"));
    assert_same(&replaced(
        "<edXML:TraceHeaderList>",
        "<edXML:TraceHeaderList id='1' version='1.0' mustUnderstand='1' actor='x'>",
    ));
    let unprefixed = replaced("<edXML:ContentTransferEncoded", "<ContentTransferEncoded");
    assert_same(&unprefixed.replace("</edXML:ContentTransferEncoded", "</ContentTransferEncoded"));
    let linked = text().replacen("<edXML:ContentId>cid:1</edXML:ContentId>", "<!-- linked -->", 1);
    let link = "<edXML:Reference xmlns:xlink='http://www.w3.org/1999/xlink' xlink:href='cid:1'>";
    assert_same(&linked.replace("<edXML:Reference>", link));
    assert_same(&replaced(
        "<edXML:edXMLBody>",
        "<edXML:DigitalSignature/><edXML:edXMLBody>",
    ));
    assert_same(&replaced(
        "<edXML:Subject>",
        "<edXML:ResponseFor/><edXML:DueDate/><edXML:Unknown>1</edXML:Unknown><edXML:Subject>",
    ));
}

#[test]
fn what_stands_in_a_signature_is_no_part_of_the_packet() {
    for namespace in ["http://www.w3.org/2000/09/xmldsig#", NAMESPACE] {
        let evil = "<edXML:ReplyFor><edXML:OrganId>evil</edXML:OrganId></edXML:ReplyFor>";
        let signature = format!("<Signature xmlns='{namespace}'><Object>{evil}</Object></Signature>");
        let subtree = format!("<edXML:ReplyFors>{signature}</edXML:ReplyFors>");
        let packet = reopen(replaced("<edXML:Subject>", &format!("{subtree}<edXML:Subject>")).as_bytes());
        let Ok(Packet::Document(packet)) = packet else {
            panic!("{packet:?}")
        };
        let names: Vec<&str> = packet.extensions.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["ReplyFors"]);
    }
}

#[test]
fn unstandardised_subtrees_are_kept() {
    let subtree = "<edXML:ReplyFors><edXML:ReplyFor><edXML:OrganId> a </edXML:OrganId><x xmlns='urn:x'>no<y/></x>\
        </edXML:ReplyFor><edXML:ReplyFor/></edXML:ReplyFors><edXML:ApplicationType>1</edXML:ApplicationType>";
    let packet = reopen(replaced("<edXML:Subject>", &format!("{subtree}<edXML:Subject>")).as_bytes());
    let Ok(Packet::Document(packet)) = packet else {
        panic!("{packet:?}")
    };
    let extension = |depth, name: &str, text: &str| Extension {
        depth,
        name: name.into(),
        text: text.into(),
    };
    let expected = [
        extension(0, "ReplyFors", ""),
        extension(1, "ReplyFor", ""),
        extension(2, "OrganId", "a"),
        extension(1, "ReplyFor", ""),
        extension(0, "ApplicationType", "1"),
    ];
    assert_eq!(packet.extensions, expected);
    let again = reopen(&packet.write().expect("writable"));
    assert_eq!(again, Ok(Packet::Document(packet)));
}

#[test]
fn answers_are_read_with_their_code_in_one_text_or_two() {
    let response = |code: &str| {
        let inside = format!("<edXML:ResponseFor><edXML:OrganId>a</edXML:OrganId>{code}</edXML:ResponseFor>");
        match reopen(replaced("<edXML:Subject>", &format!("{inside}<edXML:Subject>")).as_bytes()) {
            Ok(Packet::Document(packet)) => packet.responses_for[0].code.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        response("<edXML:Code>13/2020/Q\u{110}-UBND</edXML:Code>"),
        "13/2020/Q\u{110}-UBND"
    );
    let two = "<edXML:Code><edXML:CodeNotation>B</edXML:CodeNotation><edXML:CodeNumber>1a</edXML:CodeNumber></edXML:Code>";
    assert_eq!(response(two), "1a/B");
}

#[test]
fn signatures_are_found_where_they_stand() {
    let find = |element: &str| {
        let text = replaced("<edXML:edXMLBody>", &format!("{element}<edXML:edXMLBody>"));
        let limits = Limits::default();
        let tree = Tree::parse(text.as_bytes(), &limits.xml).expect("well-formed");
        Packet::of_tree(&tree, &limits).map(|opened| {
            opened
                .signature
                .map(|place| (place.form, text[place.range].to_owned()))
        })
    };
    let within = "<Signature><SignatureValue>AA==</SignatureValue></Signature>";
    assert_eq!(
        find(within),
        Ok(Some((SignatureForm::PacketNamespace, within.to_owned())))
    );
    let standard = within.replace(
        "<Signature>",
        "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'>",
    );
    assert_eq!(
        find(&standard),
        Ok(Some((SignatureForm::XmlSignature, standard.clone())))
    );
    assert_eq!(
        find("<Signature/><edXML:DigitalSignature> </edXML:DigitalSignature>"),
        Ok(None)
    );
    assert!(matches!(
        find(&format!("{within}{standard}")),
        Err(PacketFault::ElementRepeated { .. })
    ));
}

#[test]
fn foreign_and_ambiguous_packets_are_refused_by_name() {
    let header = "edXML/edXMLEnvelope/edXMLHeader/MessageHeader";
    let fault = |text: &str| reopen(text.as_bytes()).expect_err(text);
    for namespace in ["http://www.go.vn/eDoc", "http://www.e-doc.vn/Schema/", ""] {
        let expected = PacketFault::NamespaceForeign {
            namespace: namespace.into(),
        };
        assert_eq!(
            fault(&replaced(NAMESPACE, namespace).replace(" xmlns:edXML=\"\"", " xmlns:edXML=\"u\"")),
            expected
        );
    }
    let soap = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'/>";
    let namespace = "http://schemas.xmlsoap.org/soap/envelope/".into();
    assert_eq!(
        fault(soap),
        PacketFault::RootUnknown {
            name: "Envelope".into(),
            namespace
        }
    );
    let missing = |element: &str| PacketFault::ElementMissing {
        element: element.into(),
    };
    assert_eq!(
        fault(&format!("<edXML xmlns='{NAMESPACE}'/>")),
        missing("edXML/edXMLEnvelope")
    );
    assert_eq!(fault(&replaced("MessageHeader", "Header")), missing(header));
    let twice = replaced("<edXML:Subject>", "<Subject xmlns=''>x</Subject><edXML:Subject>");
    assert_eq!(
        fault(&twice),
        PacketFault::ElementRepeated {
            element: format!("{header}/Subject[2]")
        }
    );
    let inside = replaced("<edXML:Subject>", "<edXML:Subject><b/>");
    assert_eq!(
        fault(&inside),
        PacketFault::ElementNotText {
            element: format!("{header}/Subject")
        }
    );
    let code = |element: &str, value: &str| PacketFault::CodeUnknown {
        element: element.into(),
        value: value.into(),
    };
    let business = "edXML/edXMLEnvelope/edXMLHeader/TraceHeaderList/Bussiness/BussinessDocType";
    assert_eq!(
        fault(&replaced("BussinessDocType>0<", "BussinessDocType>7<")),
        code(business, "7")
    );
    let priority = format!("{header}/OtherInfo/Priority");
    assert_eq!(
        fault(&replaced("Priority>0<", "Priority>5<")),
        code(&priority, "5")
    );
    let status = replaced(
        "<edXML:Subject>",
        "<edXML:StatusCode>01</edXML:StatusCode><edXML:Subject>",
    );
    assert_eq!(fault(&status), PacketFault::KindAmbiguous);
    let encoded = PacketFault::AttachmentNotBase64 {
        content_id: "1".into(),
        position: 0,
    };
    assert_eq!(fault(&replaced(">JVBERi", ">*VBERi")), encoded);
}

#[test]
fn limits_are_spent_from_configuration() {
    let open = |limits: &Limits| Packet::open(text().as_bytes(), limits).map(|_| ());
    let default = Limits::default();
    assert_eq!(open(&default), Ok(()));
    let fault = open(&Limits {
        addressees_max: 1,
        ..default
    });
    assert_eq!(fault, Err(PacketFault::AddresseesOverLimit { limit: 1 }));
    let fault = open(&Limits {
        attachments_max: 0,
        ..default
    });
    assert_eq!(fault, Err(PacketFault::AttachmentsOverLimit { limit: 0 }));
    let element = "edXML/edXMLEnvelope/edXMLHeader/MessageHeader/From/OrganName".to_owned();
    let fault = open(&Limits {
        text_bytes_max: 14,
        ..default
    });
    assert_eq!(fault, Err(PacketFault::TextOverLimit { element, limit: 14 }));
    let xml = trust::xml::Limits {
        bytes_max: 100,
        ..default.xml
    };
    let fault = open(&Limits { xml, ..default }).expect_err("too large");
    assert!(
        matches!(fault, PacketFault::Xml(fault) if fault.kind == trust::xml::FaultKind::BytesOverLimit { limit: 100 })
    );
}
