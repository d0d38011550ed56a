//! The certificate that receipts are signed under: its end is told ahead, and from then on the gateway is not ready.
//!
//! **Invariant:** what is told is told when it begins, once; of a coming end once a day.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::receipt::vietnam_time;
use tracing::{error, info, warn};
use trust::{Certificate, Time};

use crate::clock::Clock;
use crate::signer::{Validity, remaining_seconds};
use crate::stages::Road;
use crate::telemetry::Probe;

/// How often the certificate is looked at although nobody asks.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What a person does about a certificate that is over, or nearly.
const ADVICE: &str =
    "make a new key (gateway key new) or obtain a new certificate, give it to the agencies, and restart";

/// The certificate, and what was told of it last.
#[derive(Debug)]
pub(in crate::app) struct CertificateWatch {
    certificate: Arc<Certificate>,
    clock: Clock,
    notice: Duration,
    told: Mutex<Validity>,
}

impl CertificateWatch {
    /// Of the key that this road signs receipts with; its end is told from `notice` before it on.
    pub(super) fn of(road: &Road, notice: Duration) -> CertificateWatch {
        let certificate = road.seal.certificates.first();
        let certificate = certificate.expect("a seal has its own certificate");
        CertificateWatch::new(Arc::clone(certificate), road.clock.clone(), notice)
    }

    fn new(certificate: Arc<Certificate>, clock: Clock, notice: Duration) -> CertificateWatch {
        CertificateWatch {
            certificate,
            clock,
            notice,
            told: Mutex::new(Validity::Good),
        }
    }

    /// Looks for ever.
    pub(in crate::app) async fn watch(self: Arc<CertificateWatch>) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.look(self.clock.now());
        }
    }

    /// Whether receipts can be verified now. Certificates go by the time of day, as everywhere.
    pub(super) fn probe(&self) -> Probe {
        self.probe_at(self.clock.now())
    }

    /// Seconds until the certificate ends; negative when that is over.
    pub(super) fn remaining_seconds(&self) -> i64 {
        remaining_seconds(&self.certificate, self.clock.now())
    }

    fn probe_at(&self, now: Time) -> Probe {
        let (begins, ends) = (self.certificate.not_before(), self.certificate.not_after());
        match self.look(now) {
            Validity::Good | Validity::Ending { .. } => Probe::Ready,
            Validity::Early => Probe::NotReady(format!(
                "the certificate of the receipt key is valid only from {} on: set the clock, or obtain another",
                vietnam_time(begins)
            )),
            Validity::Ended => Probe::NotReady(format!(
                "the certificate of the receipt key ended at {}: {ADVICE}",
                vietnam_time(ends)
            )),
        }
    }

    /// How it stands, told where that is news.
    fn look(&self, now: Time) -> Validity {
        let validity = Validity::of(&self.certificate, now, self.notice);
        if self.is_news(validity) {
            self.tell(validity);
        }
        validity
    }

    fn is_news(&self, validity: Validity) -> bool {
        // A whole value: whoever died with the lock left a sound one.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *told, validity) != validity
    }

    fn tell(&self, validity: Validity) {
        let (begins, ends) = (self.certificate.not_before(), self.certificate.not_after());
        let (begins, ends) = (vietnam_time(begins), vietnam_time(ends));
        match validity {
            Validity::Good => info!(%ends, "the certificate of the receipt key is valid"),
            Validity::Ending { days } => {
                warn!(%ends, days, "the certificate of the receipt key ends soon: {ADVICE}");
            }
            Validity::Early => {
                error!(%begins, "the certificate of the receipt key is not valid yet: nobody can verify receipts");
            }
            Validity::Ended => {
                error!(%ends, "the certificate of the receipt key has ended, nobody can verify receipts: {ADVICE}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// A watch over a certificate that is valid in 2026 and 2027, with a notice of ten days.
    fn watch() -> CertificateWatch {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2028, 1, 1));
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let certificate = Certificate::from_pem_or_der(pem.as_bytes()).expect("a certificate");
        let clock = Clock::start(Duration::from_secs(30));
        CertificateWatch::new(Arc::new(certificate), clock, Duration::from_secs(10 * 86_400))
    }

    fn time(text: &str) -> Time {
        text.parse().expect("a time")
    }

    #[test]
    fn a_gateway_is_ready_while_its_receipts_can_be_verified_and_says_why_not() {
        let watch = watch();
        for at in ["2026-06-01T00:00:00Z", "2027-12-31T23:59:59Z"] {
            assert_eq!(watch.probe_at(time(at)), Probe::Ready, "{at}");
        }
        for (at, reason) in [
            (
                "2025-12-31T00:00:00Z",
                "valid only from 2026-01-01T07:00:00+07:00",
            ),
            ("2028-01-02T00:00:00Z", "ended at 2028-01-01T07:00:00+07:00"),
        ] {
            let Probe::NotReady(why) = watch.probe_at(time(at)) else {
                panic!("ready at {at}")
            };
            assert!(why.contains(reason), "{why}");
        }
    }

    #[test]
    fn what_is_so_is_told_once_and_a_coming_end_once_a_day() {
        let watch = watch();
        let told = |at: &str| watch.is_news(Validity::of(&watch.certificate, time(at), watch.notice));
        assert!(!told("2027-06-01T00:00:00Z"), "nothing is said of a good one");
        assert!(told("2027-12-22T00:00:00Z"), "ten days left");
        assert!(!told("2027-12-22T00:00:00.5Z"));
        assert!(told("2027-12-23T12:00:00Z"), "eight days left");
        assert!(!told("2027-12-23T13:00:00Z"));
        assert!(told("2028-01-01T00:00:01Z"), "over");
        assert!(!told("2028-03-01T00:00:00Z"));
    }
}
