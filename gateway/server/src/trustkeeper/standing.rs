//! How trust stands, for people and for measures: which list is old, where it comes from, since when, and why.

use trust::Time;

use super::desk::{certificate_line, list_line};
use super::errand::Errand;
use super::hosts::{Hosts, Way};
use super::material::{Certificates, Material};
use super::schedule::{Address, Schedule};
use crate::administration::{AbsentList, AddressLine, IssuingCertificate, Role, TrustStatus};

/// What the status is told from.
pub(super) struct Standing<'a> {
    pub(super) material: &'a Material,
    pub(super) schedule: &'a Schedule,
    pub(super) hosts: &'a Hosts,
    /// Addresses of lists that the configuration names.
    pub(super) configured: &'a [String],
    pub(super) faults: &'a [String],
    pub(super) version: u64,
    pub(super) now: Time,
}

impl Standing<'_> {
    pub(super) fn status(&self) -> TrustStatus {
        let Standing { material, now, .. } = *self;
        let lists = material.signed_lists().iter().map(|signed| {
            let (series, addresses) = (signed.series(), &self.schedule.addresses);
            let gave = addresses
                .iter()
                .filter(|(_, address)| address.series == Some(series));
            let urls = gave.map(|(errand, _)| errand.url.clone()).collect();
            list_line(&signed.list, urls, material.matters_until(&series), now)
        });
        TrustStatus {
            version: self.version,
            certificates: self.certificates(),
            answers: material.answers.count(),
            lists: lists.collect(),
            absent_lists: self.absent_lists(),
            addresses: self.addresses(),
            faults: self.faults.to_vec(),
        }
    }

    fn certificates(&self) -> Vec<IssuingCertificate> {
        let Certificates {
            anchors,
            candidates,
            learned,
            strangers,
        } = &self.material.certificates;
        let all = [
            (Role::Anchor, anchors),
            (Role::Candidate, candidates),
            (Role::Learned, learned),
            (Role::Stranger, strangers),
        ];
        let lines = all
            .iter()
            .flat_map(|(role, some)| some.iter().map(|one| certificate_line(one, *role)));
        lines.collect()
    }

    fn absent_lists(&self) -> Vec<AbsentList> {
        let of_authorities = self.material.absent_lists(self.now).into_iter();
        let of_authorities = of_authorities.map(|(issuer, urls)| AbsentList {
            issuer: Some(issuer),
            urls: urls.into_iter().collect(),
        });
        let gave = |url: &String| {
            let address = self.schedule.addresses.get(&Errand::list(url));
            address.is_some_and(|address| address.series.is_some())
        };
        let of_configuration = self.configured.iter().filter(|url| !gave(url));
        let of_configuration = of_configuration.map(|url| AbsentList {
            issuer: None,
            urls: vec![url.clone()],
        });
        of_authorities.chain(of_configuration).collect()
    }

    /// One line an address: a responder is asked about many certificates, and what is wrong with it is told once.
    fn addresses(&self) -> Vec<AddressLine> {
        let mut lines: Vec<AddressLine> = Vec::new();
        for (errand, address) in &self.schedule.addresses {
            let line = self.address(errand, address);
            match lines.last_mut().filter(|last| last.url == line.url) {
                None => lines.push(line),
                Some(last) if last.fault.is_none() && line.fault.is_some() => *last = line,
                Some(_) => {}
            }
        }
        lines
    }

    fn address(&self, errand: &Errand, address: &Address) -> AddressLine {
        let of_host = errand
            .host()
            .and_then(|host| match self.hosts.way(&host, self.now) {
                Way::Rests(until) => Some(until),
                Way::Tried | Way::Open | Way::Wait => None,
            });
        let rests = address
            .rests_until()
            .max(of_host)
            .filter(|until| *until > self.now);
        AddressLine {
            url: errand.url.clone(),
            fetched_at: address.fetched_at,
            failing_since: address.failing_since,
            fault: address.fault.clone(),
            resting_until: address.fault.as_ref().and(rests),
        }
    }
}
