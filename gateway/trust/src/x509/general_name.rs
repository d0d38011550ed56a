//! GeneralName (RFC 5280 §4.2.1.6): names of many kinds, and what it takes for one to lie inside another (§4.2.1.10).
//!
//! Stands under `extension` and `path`: alternative names, distribution points and name constraints are made of these.
//!
//! **Invariant**: a kind that cannot be compared lies inside nothing and is known to be of its kind, so that whoever
//! restricts it refuses it.

use crate::asn1::{Asn1Fault, Reader, oid, tag};
use crate::name::Name;

/// One name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GeneralName {
    /// A mailbox: rfc822Name, or SmtpUTF8Mailbox (RFC 9598), which is held to constraints of the former (§6).
    Mailbox(Box<str>),
    /// dNSName.
    Host(Box<str>),
    /// directoryName.
    Directory(Name),
    /// uniformResourceIdentifier.
    Uri(Box<str>),
    /// iPAddress: 4 or 16 octets; in a constraint twice as many, address and mask.
    Address(Box<[u8]>),
    /// otherName, x400Address, ediPartyName, registeredID, and what is malformed: the tag, and the whole in DER.
    Other(u8, Box<[u8]>),
}

impl GeneralName {
    /// Reads the next name.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<GeneralName, Asn1Fault> {
        let element = reader.next()?;
        let text = std::str::from_utf8(element.content)
            .ok()
            .filter(|text| text.is_ascii());
        let known = match (element.tag, text) {
            (MAILBOX, Some(text)) => Some(Self::Mailbox(text.into())),
            (HOST, Some(text)) => Some(Self::Host(text.into())),
            (URI, Some(text)) => Some(Self::Uri(text.into())),
            (OTHER, _) => smtp_utf8_mailbox(element.content),
            (ADDRESS, _) => Some(Self::Address(element.content.into())),
            // [4] is EXPLICIT: Name is a CHOICE (X.680 §31.2.7).
            (DIRECTORY, _) => Reader::sole(element.content, tag::SEQUENCE)
                .and_then(|name| Name::read(&name))
                .ok()
                .map(Self::Directory),
            (_, _) => None,
        };
        Ok(known.unwrap_or_else(|| Self::Other(element.tag, element.whole.into())))
    }

    /// Reads names to the end.
    pub(crate) fn read_all(content: &[u8]) -> Result<Vec<GeneralName>, Asn1Fault> {
        let mut reader = Reader::new(content);
        let mut names = Vec::new();
        while !reader.is_empty() {
            names.push(Self::read(&mut reader)?);
        }
        Ok(names)
    }

    /// The `http` or `https` location that it is.
    pub(crate) fn web_location(&self) -> Option<&str> {
        let Self::Uri(uri) = self else { return None };
        let (scheme, _) = uri.split_once("://")?;
        (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")).then_some(uri)
    }

    /// The directory name that it is.
    pub(crate) fn directory(&self) -> Option<&Name> {
        match self {
            Self::Directory(name) => Some(name),
            Self::Mailbox(_) | Self::Host(_) | Self::Uri(_) | Self::Address(_) | Self::Other(..) => None,
        }
    }

    /// Its tag octet, by which kinds are told apart.
    fn kind(&self) -> u8 {
        match self {
            Self::Mailbox(_) => MAILBOX,
            Self::Host(_) => HOST,
            Self::Directory(_) => DIRECTORY,
            Self::Uri(_) => URI,
            Self::Address(_) => ADDRESS,
            Self::Other(kind, _) => *kind,
        }
    }

    /// Whether a constraint of this form is about names of that form.
    pub(crate) fn is_of_kind(&self, other: &GeneralName) -> bool {
        self.kind() == other.kind()
    }

    /// Where this name lies as seen from the subtree `base` of the same kind.
    pub(crate) fn place_in(&self, base: &GeneralName) -> Place {
        let inside = match (self, base) {
            (Self::Directory(name), Self::Directory(base)) => name.begins_with(base),
            (Self::Mailbox(mailbox), Self::Mailbox(base)) => is_mailbox_in(mailbox, base),
            (Self::Host(host), Self::Host(base)) => is_host_in(host, base),
            (Self::Uri(uri), Self::Uri(base)) => is_uri_in(uri, base),
            (Self::Address(address), Self::Address(base)) => is_address_in(address, base),
            (_, _) => None,
        };
        match inside {
            Some(true) => Place::Inside,
            Some(false) => Place::Outside,
            None => Place::Unknown,
        }
    }
}

/// Where a name lies as seen from a subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Inside,
    Outside,
    /// It cannot be told: the name or the subtree is of a form that is not compared, or malformed.
    Unknown,
}

const OTHER: u8 = tag::context_constructed(0);
const MAILBOX: u8 = tag::context(1);
const HOST: u8 = tag::context(2);
const DIRECTORY: u8 = tag::context_constructed(4);
const URI: u8 = tag::context(6);
const ADDRESS: u8 = tag::context(7);

/// The otherName that is an SmtpUTF8Mailbox (RFC 9598 §3); one that cannot be read is a mailbox that lies inside nothing.
fn smtp_utf8_mailbox(content: &[u8]) -> Option<GeneralName> {
    let mut reader = Reader::new(content);
    if reader.object_identifier() != Ok(oid::NAME_SMTP_UTF8_MAILBOX.as_bytes()) {
        return None;
    }
    let value = reader.expect(tag::context_constructed(0));
    let text = value.and_then(|value| Reader::sole(value.content, tag::UTF8_STRING));
    let text = text.ok().and_then(|text| std::str::from_utf8(text.content).ok());
    Some(match text {
        Some(text) => GeneralName::Mailbox(text.into()),
        None => GeneralName::Other(MAILBOX, content.into()),
    })
}

/// A mailbox, all mailboxes of a host, or those of all hosts of a domain (`.example`).
fn is_mailbox_in(mailbox: &str, base: &str) -> Option<bool> {
    let (local, host) = mailbox.rsplit_once('@')?;
    // A quoted local part can be written in several ways (RFC 5321 §4.1.2).
    if local.is_empty() || local.contains(['@', '"']) || !is_host(host) {
        return None;
    }
    match base.rsplit_once('@') {
        Some((base_local, base_host)) => Some(local == base_local && host.eq_ignore_ascii_case(base_host)),
        None if base.is_empty() => Some(true),
        None => is_domain(base).then(|| is_named_host_in(host, base)),
    }
}

/// The host itself and everything that is made by adding labels at its left.
fn is_host_in(host: &str, base: &str) -> Option<bool> {
    let host = host.strip_suffix('.').unwrap_or(host);
    // A wild card stands for hosts of which some may lie inside and some outside.
    let literal = host.strip_prefix("*.").unwrap_or(host);
    if !is_host(literal) {
        return None;
    }
    if base.is_empty() {
        return Some(true);
    }
    if !is_domain(base) {
        return None;
    }
    let is_inside = |name: &str| is_named_host_in(name, base) || is_below(name, base);
    if literal.len() < host.len() {
        let may_be = base.len() > literal.len() && is_below(base, literal);
        return if may_be { None } else { Some(is_inside(literal)) };
    }
    Some(is_inside(host))
}

/// The host of the location: the very host, or any of a domain (`.example`). A location without a host, or with an
/// address for one, cannot be told (§4.2.1.10 has it refused).
fn is_uri_in(uri: &str, base: &str) -> Option<bool> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => host,
        Some(_) => return None,
        None => host,
    };
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('[');
    if is_address || !is_host(host) {
        return None;
    }
    if base.is_empty() {
        return Some(true);
    }
    is_domain(base).then(|| is_named_host_in(host, base))
}

/// Address and mask.
fn is_address_in(address: &[u8], base: &[u8]) -> Option<bool> {
    if !matches!(address.len(), 4 | 16) || !matches!(base.len(), 8 | 32) {
        return None;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    if network.len() != address.len() {
        return Some(false);
    }
    let mut octets = address.iter().zip(network).zip(mask);
    Some(octets.all(|((own, network), mask)| own & mask == network & mask))
}

/// The very host, or, where the base begins with a dot, any host of that domain.
fn is_named_host_in(host: &str, base: &str) -> bool {
    match base.strip_prefix('.') {
        Some(domain) => is_below(host, domain),
        None => host.eq_ignore_ascii_case(base),
    }
}

/// Whether the host has more labels than the domain, and the domain's at its right.
fn is_below(host: &str, domain: &str) -> bool {
    let Some(labels) = host.len().checked_sub(domain.len() + 1) else {
        return false;
    };
    // Both are ASCII: any place is between two characters.
    host.as_bytes()[labels] == b'.' && host[labels + 1..].eq_ignore_ascii_case(domain)
}

fn is_domain(base: &str) -> bool {
    is_host(base.strip_prefix('.').unwrap_or(base))
}

/// Labels of letters, digits, hyphens and underscores (RFC 1034 §3.5, and what is met).
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
    };
    text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::write;
    use Place::{Inside, Outside, Unknown};

    fn places(make: fn(Box<str>) -> GeneralName, base: &str, names: &[(&str, Place)]) {
        for (name, place) in names {
            let (own, base) = (make((*name).into()), make(base.into()));
            assert_eq!(own.place_in(&base), *place, "{own:?} in {base:?}");
        }
    }

    #[test]
    fn hosts_lie_below_their_domain() {
        let names = [
            ("example.vn", Inside),
            ("EXAMPLE.vn.", Inside),
            ("a.b.example.vn", Inside),
            ("notexample.vn", Outside),
            ("vn", Outside),
            ("*.example.vn", Inside),
            ("*.vn", Unknown),
            ("", Unknown),
            ("a b.vn", Unknown),
        ];
        places(GeneralName::Host, "example.vn", &names);
        places(GeneralName::Host, "", &[("anything.at.all", Inside)]);
        places(
            GeneralName::Host,
            ".example.vn",
            &[("example.vn", Outside), ("a.example.vn", Inside)],
        );
    }

    #[test]
    fn mailboxes_are_those_of_a_host_of_a_domain_or_one() {
        let names = [
            ("a@x.vn", Inside),
            ("a@y.x.vn", Outside),
            ("x.vn", Unknown),
            ("@x.vn", Unknown),
            ("a@y.vn@x.vn", Unknown),
            ("\"a\"@x.vn", Unknown),
            ("ộ@x.vn", Inside),
            ("a@ộ.vn", Unknown),
        ];
        places(GeneralName::Mailbox, "x.vn", &names);
        places(
            GeneralName::Mailbox,
            ".x.vn",
            &[("a@x.vn", Outside), ("a@y.x.vn", Inside)],
        );
        places(
            GeneralName::Mailbox,
            "a@x.vn",
            &[("a@X.vn", Inside), ("A@x.vn", Outside), ("b@x.vn", Outside)],
        );
    }

    #[test]
    fn a_mailbox_in_utf8_is_one_however_it_is_written() {
        let other = |value: &[u8]| {
            let id = write::object_identifier(&oid::NAME_SMTP_UTF8_MAILBOX);
            let value = write::element(tag::context_constructed(0), value);
            let name = write::element(OTHER, &[id, value].concat());
            GeneralName::read(&mut Reader::new(&name)).expect("a name")
        };
        let base = GeneralName::Mailbox("x.vn".into());
        let text = |text: &str| write::element(tag::UTF8_STRING, text.as_bytes());
        for (value, place) in [
            (text("ộ@x.vn"), Inside),
            (text("ộ@y.vn"), Outside),
            (vec![tag::NULL, 0], Unknown),
        ] {
            let name = other(&value);
            assert!(name.is_of_kind(&base));
            assert_eq!(name.place_in(&base), place);
        }
    }

    #[test]
    fn locations_are_told_by_their_host() {
        let names = [
            ("http://x.vn/crl", Inside),
            ("ldap://user@x.vn:389/o=a", Inside),
            ("http://a.x.vn/", Outside),
            ("http://192.0.2.1/", Unknown),
            ("http://[::1]/", Unknown),
            ("urn:a:b", Unknown),
            ("http://x.vn:port/", Unknown),
        ];
        places(GeneralName::Uri, "x.vn", &names);
        places(
            GeneralName::Uri,
            ".x.vn",
            &[("http://x.vn/", Outside), ("http://a.x.vn", Inside)],
        );
    }

    #[test]
    fn addresses_are_masked() {
        let base = GeneralName::Address([192, 0, 2, 0, 255, 255, 255, 0].into());
        let place = |octets: &[u8]| GeneralName::Address(octets.into()).place_in(&base);
        assert_eq!(place(&[192, 0, 2, 77]), Inside);
        assert_eq!(place(&[192, 0, 3, 77]), Outside);
        assert_eq!(place(&[0; 16]), Outside);
        assert_eq!(place(&[1, 2, 3]), Unknown);
    }
}
