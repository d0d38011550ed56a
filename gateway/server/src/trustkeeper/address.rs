//! Where the keeper may go: addresses that certificates name are written by strangers.
//!
//! **Invariant:** a host is resolved once, every address it has is checked, and the connection goes to the addresses
//! that were checked: a second answer of the name server changes nothing.
//! **Invariant:** only hosts that the configuration lists may have private addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

/// Longest address that is followed.
const URL_BYTES_MAX: usize = 2048;

/// Where HTTP and HTTPS are answered if nothing else is said.
const WEB_PORTS: [u16; 2] = [80, 443];

/// Why an address is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressFault {
    /// Not an HTTP address, or too long, or with a user in it.
    #[error("not an address that is followed")]
    NotFollowed,
    /// The name server knows nothing of the host.
    #[error("the host cannot be resolved")]
    Unresolved,
    /// At least one address of the host is private, and the host is not in allowed_private_hosts.
    #[error("the host has the private address {0}")]
    Private(IpAddr),
}

/// Hosts whose addresses may be private, as the configuration lists them: `host` for the ports of HTTP and HTTPS,
/// `host:port`, or `host:*`. Certificates of strangers may name these as well: what else such a host does is not theirs to ask.
#[derive(Debug, Clone, Default)]
pub(super) struct PrivateHosts(Vec<String>);

impl PrivateHosts {
    pub(super) fn new(hosts: &[String]) -> PrivateHosts {
        PrivateHosts(hosts.iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    fn allow(&self, host: &str, port: u16) -> bool {
        let with_port = format!("{host}:{port}");
        let (with_any, is_web) = (format!("{host}:*"), WEB_PORTS.contains(&port));
        self.0
            .iter()
            .any(|one| *one == with_port || *one == with_any || (is_web && *one == host))
    }
}

/// An address that may be asked, and where its host is.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) url: Url,
    pub(super) host: String,
    pub(super) addresses: Vec<SocketAddr>,
}

/// The address, if it is one that could be followed at all; nothing is resolved.
pub(super) fn parse(text: &str) -> Result<Url, AddressFault> {
    let url = Url::parse(text).map_err(|_| AddressFault::NotFollowed)?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let is_plain = url.username().is_empty() && url.password().is_none() && url.host_str().is_some();
    if is_web && is_plain && text.len() <= URL_BYTES_MAX {
        Ok(url)
    } else {
        Err(AddressFault::NotFollowed)
    }
}

/// Host and port of an address, as [`super::hosts::Hosts`] names hosts.
pub(super) fn host_of(url: &Url) -> Option<String> {
    let port = url.port_or_known_default()?;
    Some(format!("{}:{port}", url.host_str()?.to_ascii_lowercase()))
}

/// Resolves the host and checks every address it has.
pub(super) async fn check(url: Url, allowed: &PrivateHosts) -> Result<Checked, AddressFault> {
    let host = url
        .host_str()
        .ok_or(AddressFault::NotFollowed)?
        .to_ascii_lowercase();
    let port = url.port_or_known_default().ok_or(AddressFault::NotFollowed)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let found = tokio::net::lookup_host((bare.as_str(), port))
        .await
        .map_err(|_| AddressFault::Unresolved)?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() {
        return Err(AddressFault::Unresolved);
    }
    if !allowed.allow(&bare, port)
        && let Some(private) = addresses.iter().find(|address| !is_public(address.ip()))
    {
        return Err(AddressFault::Private(private.ip()));
    }
    Ok(Checked {
        url,
        host: bare,
        addresses,
    })
}

/// Whether an address belongs to the public Internet (IANA special-purpose registries, RFC 6890 and its updates).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64) // RFC 6598, behind carriers
        || (a == 192 && b == 0 && c == 0) // RFC 6890, protocol assignments
        || (a == 192 && b == 88 && c == 99) // RFC 7526, 6to4 relays
        || (a == 198 && b & 0xfe == 18); // RFC 2544, benchmarks
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    if a & 0xe000 != 0x2000 {
        // 2000::/3 is all that is given out.
        return false;
    }
    let is_protocol = a == 0x2001 && b < 0x0200; // RFC 6890, with Teredo
    let is_documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000); // RFC 3849, RFC 9637
    let is_6to4 = a == 0x2002; // carries any IPv4 address
    !(is_protocol || is_documentation || is_6to4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::7f00:1",
        ] {
            assert!(!is_public(text.parse().expect("an address")), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for text in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2400:cb00::1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
        ] {
            assert!(is_public(text.parse().expect("an address")), "{text}");
        }
    }

    #[test]
    fn only_plain_web_addresses_are_followed() {
        for text in [
            "http://crl.example/x.crl",
            "https://crl.example:8443/x.crl",
            "http://[2400::1]/x",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        let long = format!("http://crl.example/{}", "x".repeat(URL_BYTES_MAX));
        for text in [
            "ldap://crl.example/cn=x",
            "file:///etc/passwd",
            "http://user@crl.example/",
            "x.crl",
            &long,
        ] {
            assert_eq!(
                parse(text).expect_err("not followed"),
                AddressFault::NotFollowed,
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_private_host_is_asked_only_if_it_is_listed() {
        let check = async |text: &str, allowed: &[&str]| {
            let allowed = PrivateHosts::new(&allowed.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
            check(parse(text).expect("an address"), &allowed).await
        };
        let private = AddressFault::Private(IpAddr::from([127, 0, 0, 1]));
        assert_eq!(
            check("http://127.0.0.1:81/x", &[]).await.expect_err("private"),
            private
        );
        // Other ways to write the same address are the same address.
        assert_eq!(
            check("http://2130706433/x", &[]).await.expect_err("private"),
            private
        );
        assert_eq!(check("http://0x7f.1/x", &[]).await.expect_err("private"), private);
        assert_eq!(
            check("http://127.0.0.1:81/x", &["127.0.0.1:80"])
                .await
                .expect_err("other port"),
            private
        );
        assert!(check("http://[::1]/x", &["127.0.0.1"]).await.is_err());
        assert_eq!(
            check("http://127.0.0.1:81/x", &["127.0.0.1"])
                .await
                .expect_err("another service"),
            private
        );
        for (url, listed, port) in [
            ("http://127.0.0.1:81/x", "127.0.0.1:81", 81),
            ("http://127.0.0.1:81/x", "127.0.0.1:*", 81),
            ("http://127.0.0.1/x", "127.0.0.1", 80),
            ("https://127.0.0.1/x", "127.0.0.1", 443),
        ] {
            let checked = check(url, &[listed]).await.expect("listed");
            assert_eq!(checked.addresses, [SocketAddr::from(([127, 0, 0, 1], port))]);
        }
    }
}
