//! Counters, gauges and histograms, in one registry, shown as OpenMetrics text.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::event::Happening;
use domain::port::Recorded;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::names::{Measure, Stage, Total};
use super::processor::{Metered, Seconds};

/// One label and its value; values come from closed lists, so that the number of series is bounded.
type Label = [(&'static str, String); 1];
/// Labels of trust material: the keeper bounds the number of addresses.
type TwoLabels = [(&'static str, String); 2];

/// How old one revocation list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlMeasure {
    /// Its issuer, for people.
    pub issuer: String,
    /// Where it comes from; empty: from a file.
    pub address: String,
    /// Seconds since it was made.
    pub age_seconds: i64,
    /// Seconds until the next one must be there; negative when that is over.
    pub remaining_seconds: i64,
}

type Sample = Box<dyn Fn(&Metrics) + Send + Sync>;

/// All that is counted and measured. Handles are lock-free; only scraping takes the lock.
pub struct Metrics {
    registry: Mutex<Registry>,
    samples: Mutex<Vec<Sample>>,
    events: Family<Label, Counter>,
    receipts: Family<Label, Counter>,
    refusals: Family<Label, Counter>,
    gauges: [Gauge; Measure::TABLE.len()],
    totals: [Counter; Total::TABLE.len()],
    crl_ages: Family<TwoLabels, Gauge>,
    crl_remains: Family<TwoLabels, Gauge>,
    failing_addresses: Family<TwoLabels, Gauge>,
    stage_seconds: Family<Label, Histogram>,
    task_cpu_seconds: Family<Label, Seconds>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

/// From half a millisecond to 16 seconds.
fn stage_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 16))
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Metrics {
        let metrics = Metrics {
            registry: Mutex::new(Registry::default()),
            samples: Mutex::default(),
            events: Family::default(),
            receipts: Family::default(),
            refusals: Family::default(),
            gauges: std::array::from_fn(|_| Gauge::default()),
            totals: std::array::from_fn(|_| Counter::default()),
            crl_ages: Family::default(),
            crl_remains: Family::default(),
            failing_addresses: Family::default(),
            stage_seconds: Family::new_with_constructor(stage_histogram),
            task_cpu_seconds: Family::default(),
        };
        metrics.register();
        metrics
    }

    /// The exposition adds `_total` to counters.
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(
            "gateway_events",
            "Events recorded in the journal, by word",
            self.events.clone(),
        );
        registry.register(
            "gateway_receipts",
            "Receipts issued, by kind",
            self.receipts.clone(),
        );
        registry.register(
            "gateway_refusals",
            "Reasons of refusals, by code",
            self.refusals.clone(),
        );
        for ((_, name, help), gauge) in Measure::TABLE.into_iter().zip(&self.gauges) {
            registry.register(name, help, gauge.clone());
        }
        for ((_, name, help), total) in Total::TABLE.into_iter().zip(&self.totals) {
            registry.register(name, help, total.clone());
        }
        let ages = self.crl_ages.clone();
        registry.register(
            "gateway_crl_age_seconds",
            "Time since thisUpdate of a revocation list in use, by issuer and address",
            ages,
        );
        let remains = self.crl_remains.clone();
        let help = "Time until nextUpdate of a revocation list in use, by issuer and address; negative when it is over: \
                    what it would settle is held. See `gateway trust status`";
        registry.register("gateway_crl_remaining_seconds", help, remains);
        let help = "For how long an address of trust material has given nothing of use, by address and trouble. See \
                    `gateway trust status`";
        registry.register(
            "gateway_trust_address_failing_seconds",
            help,
            self.failing_addresses.clone(),
        );
        let stages = self.stage_seconds.clone();
        registry.register(
            "gateway_stage_seconds",
            "How long a stage took for one document, in seconds",
            stages,
        );
        registry.register(
            "gateway_task_cpu_seconds",
            "Processor time of a task, without the threads it hands work to",
            self.task_cpu_seconds.clone(),
        );
    }

    /// Counts events that were just recorded: each by its word, receipts by kind, refusals by each reason's code.
    pub fn count(&self, recorded: &[Recorded]) {
        for Recorded { event, .. } in recorded {
            self.events
                .get_or_create(&label("event", event.happening.word()))
                .inc();
            match &event.happening {
                Happening::ReceiptIssued(receipt) => {
                    self.receipts
                        .get_or_create(&label("kind", receipt.kind.word()))
                        .inc();
                }
                Happening::Refused(refused) => {
                    for reason in &refused.reasons {
                        self.refusals
                            .get_or_create(&label("code", reason.code.word()))
                            .inc();
                    }
                }
                Happening::Accepted(_)
                | Happening::Held(_)
                | Happening::Repeated(_)
                | Happening::Extended(_)
                | Happening::Reported(_)
                | Happening::Consigned(_)
                | Happening::HandedOver(_)
                | Happening::Failed(_)
                | Happening::Withdrawn(_)
                | Happening::Lost(_)
                | Happening::Parked(_)
                | Happening::DirectoryChanged(_)
                | Happening::BrokerLost { .. } => {}
            }
        }
    }

    /// Says how something stands now.
    pub fn set(&self, measure: Measure, value: i64) {
        self.gauges[place(measure)].set(value);
    }

    /// Says how old the revocation lists in use are; those that are not among them are shown no more. Of several with
    /// the same labels the one that is over first is told.
    pub fn set_crls(&self, lists: &[CrlMeasure]) {
        self.crl_ages.clear();
        self.crl_remains.clear();
        let mut lists: Vec<&CrlMeasure> = lists.iter().collect();
        lists.sort_by_key(|list| std::cmp::Reverse(list.remaining_seconds));
        for list in lists {
            let labels = [("issuer", list.issuer.clone()), ("address", list.address.clone())];
            self.crl_ages.get_or_create(&labels).set(list.age_seconds);
            self.crl_remains
                .get_or_create(&labels)
                .set(list.remaining_seconds);
        }
    }

    /// Says which addresses of trust material give nothing of use, with the word of the trouble and since how many
    /// seconds; all others are shown no more.
    pub fn set_failing_addresses(&self, failing: &[(&str, &str, i64)]) {
        self.failing_addresses.clear();
        for (address, trouble, seconds) in failing {
            let labels = [
                ("address", (*address).to_owned()),
                ("trouble", (*trouble).to_owned()),
            ];
            self.failing_addresses.get_or_create(&labels).set(*seconds);
        }
    }

    /// Notes how long a stage took for one document.
    pub fn time(&self, stage: Stage, took: Duration) {
        self.stage_seconds
            .get_or_create(&label("stage", stage.word()))
            .observe(took.as_secs_f64());
    }

    /// The task, with its processor time counted under its name.
    pub fn metered<F: Future>(&self, name: &'static str, task: F) -> Metered<F> {
        let spent = self.task_cpu_seconds.get_or_create(&label("task", name)).clone();
        Metered::new(task, spent)
    }

    /// Says how far a part's own total has come.
    pub fn set_total(&self, total: Total, value: u64) {
        let place = Total::TABLE.iter().position(|(one, _, _)| *one == total);
        let place = place.expect("the table holds every total; a test sets each");
        self.totals[place].inner().store(value, Ordering::Relaxed);
    }

    /// Registers what is to be measured when somebody looks: it sets gauges. It may read the index, within bounds.
    pub fn on_scrape(&self, sample: impl Fn(&Metrics) + Send + Sync + 'static) {
        self.samples
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(sample));
    }

    /// Everything, in the OpenMetrics text format. Blocks while the index is read; of those who look at the same time,
    /// one looks after the other.
    pub fn text(&self) -> String {
        // One scrape at a time: samples may take back what they showed, and must not do so while another is written.
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        for sample in self.samples.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            sample(self);
        }
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing into a string does not fail");
        text
    }
}

fn label(name: &'static str, value: &str) -> Label {
    [(name, value.to_owned())]
}

fn place(measure: Measure) -> usize {
    let place = Measure::TABLE.iter().position(|(one, _, _)| *one == measure);
    place.expect("the table holds every measure; a test sets each")
}

#[cfg(test)]
mod tests {
    use domain::dispatch::Rank;
    use domain::event::{Event, ReceiptIssued, Refused, Submission};
    use domain::ids::{AccountId, AgencyId, CaseId, SubmissionId};
    use domain::receipt::ReceiptKind;
    use domain::refusal::{Refusal, RefusalCode};
    use trust::{Digest, Time};

    use super::*;

    fn recorded(happening: Happening) -> Recorded {
        let event = Event {
            time: Time::from_micros(1),
            happening,
        };
        Recorded {
            position: 1,
            leaf: Digest::of(b"leaf"),
            event,
        }
    }

    fn refused() -> Happening {
        let submission = Submission {
            id: SubmissionId::parse("s1").expect("an id"),
            account: AccountId::parse("a1-1").expect("an id"),
            agency: None,
            packet: Digest::of(b"packet"),
            packet_bytes: 6,
            received_at: Time::from_micros(1),
        };
        Happening::Refused(Refused {
            case: CaseId::from_bytes([1; 16]),
            submission,
            document: None,
            reasons: vec![
                Refusal::new(RefusalCode::SignerRevoked),
                Refusal::new(RefusalCode::SenderUnknown),
            ],
            rank: Rank::Normal,
            seals: Vec::new(),
            status_packet: None,
        })
    }

    fn issued() -> Happening {
        Happening::ReceiptIssued(ReceiptIssued {
            case: CaseId::from_bytes([1; 16]),
            kind: ReceiptKind::SubmissionRejection,
            about: Digest::of(b"leaf"),
            receipt: Digest::of(b"receipt"),
            to: AgencyId::from_number(1),
            submission: None,
            account: None,
            status_packet: None,
            rank: Rank::Normal,
        })
    }

    fn has(text: &str, line: &str) {
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }

    #[test]
    fn events_are_counted_by_word_receipts_by_kind_and_refusals_by_code() {
        let metrics = Metrics::new();
        metrics.count(&[recorded(refused()), recorded(refused()), recorded(issued())]);
        let text = metrics.text();
        has(&text, r#"gateway_events_total{event="refused"} 2"#);
        has(&text, r#"gateway_events_total{event="receipt-issued"} 1"#);
        has(&text, r#"gateway_receipts_total{kind="SubmissionRejection"} 1"#);
        has(&text, r#"gateway_refusals_total{code="SIGNER_REVOKED"} 2"#);
        has(&text, r#"gateway_refusals_total{code="SENDER_UNKNOWN"} 2"#);
        assert!(text.ends_with("# EOF\n"), "OpenMetrics ends with its mark");
    }

    #[test]
    fn every_total_has_a_place_and_a_name_of_its_own() {
        let metrics = Metrics::new();
        for (value, (total, _, _)) in (1_u64..).zip(Total::TABLE) {
            metrics.set_total(total, value);
        }
        let text = metrics.text();
        for (value, (_, name, _)) in (1_u64..).zip(Total::TABLE) {
            has(&text, &format!("{name}_total {value}"));
        }
    }

    #[test]
    fn every_measure_has_a_place_and_a_name_of_its_own() {
        let metrics = Metrics::new();
        for (value, (measure, _, _)) in (1_i64..).zip(Measure::TABLE) {
            metrics.set(measure, value);
        }
        let text = metrics.text();
        for (value, (_, name, _)) in (1_i64..).zip(Measure::TABLE) {
            has(&text, &format!("{name} {value}"));
        }
    }

    #[test]
    fn what_is_sampled_is_as_of_the_moment_of_looking() {
        let metrics = Metrics::new();
        let waiting = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
        let seen = waiting.clone();
        metrics.on_scrape(move |metrics| {
            metrics.set(Measure::StoreQueue, seen.load(Ordering::Relaxed));
        });
        has(&metrics.text(), "gateway_store_queue_commits 0");
        waiting.store(7, Ordering::Relaxed);
        has(&metrics.text(), "gateway_store_queue_commits 7");
    }

    #[test]
    fn durations_fall_into_buckets_of_their_stage() {
        let metrics = Metrics::new();
        metrics.time(Stage::Record, Duration::from_millis(3));
        let text = metrics.text();
        has(
            &text,
            r#"gateway_stage_seconds_bucket{le="0.002",stage="record"} 0"#,
        );
        has(
            &text,
            r#"gateway_stage_seconds_bucket{le="0.004",stage="record"} 1"#,
        );
    }

    #[test]
    fn a_list_is_shown_with_its_address_as_long_as_it_is_in_use() {
        let metrics = Metrics::new();
        let of = |remaining_seconds| CrlMeasure {
            issuer: "CA G2".to_owned(),
            address: "http://ca/x.crl".to_owned(),
            age_seconds: 60,
            remaining_seconds,
        };
        metrics.set_crls(&[of(-5), of(900)]);
        metrics.set_failing_addresses(&[("http://ca/x.crl", "unreachable", 70)]);
        let text = metrics.text();
        has(
            &text,
            r#"gateway_crl_remaining_seconds{issuer="CA G2",address="http://ca/x.crl"} -5"#,
        );
        let failing =
            r#"gateway_trust_address_failing_seconds{address="http://ca/x.crl",trouble="unreachable"} 70"#;
        has(&text, failing);
        metrics.set_crls(&[]);
        metrics.set_failing_addresses(&[]);
        assert!(!metrics.text().contains("http://ca/x.crl"));
    }
}
