//! What was found, as a table for people and as one line of JSON for programs.
#![expect(clippy::print_stdout, reason = "a command prints what it found")]

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    baseline::Sizes,
    disk::Disk,
    load::{Run, Totals},
    meter::{self, Memory},
    station::Station,
};

const MICROSECONDS: f64 = 1e6;

/// All figures of a run of the bench.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) pdf_bytes: usize,
    pub(crate) packet_bytes: usize,
    pub(crate) receipt_bytes: usize,
    pub(crate) closed: Option<Run>,
    pub(crate) cost: Cost,
    /// Confirmations in the closed loop.
    pub(crate) confirmed: Totals,
    pub(crate) three_quarters: Option<Latency>,
    pub(crate) half: Option<Latency>,
    /// At [`crate::FIXED_RATE`].
    pub(crate) fixed: Option<Latency>,
    pub(crate) baseline: f64,
    pub(crate) memory: Memory,
    pub(crate) repeats: u64,
}

/// An open loop, and the disk under it.
pub(crate) struct Latency {
    pub(crate) run: Run,
    pub(crate) disk: Disk,
}

/// Processor microseconds a document.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    /// Of the gateway, by stage.
    pub(crate) stages: BTreeMap<String, f64>,
    /// Of the gateway, all of it.
    pub(crate) gateway: f64,
    pub(crate) broker: f64,
    /// Of this process: the connectors of all agencies.
    pub(crate) connectors: f64,
    /// Processors that all of these kept busy.
    pub(crate) processors: f64,
}

impl Figures {
    pub(crate) fn sizes(&self) -> Sizes {
        let documents = self.closed.as_ref().map_or(1, |run| run.documents).max(1);
        let messages = self.confirmed.confirmations.max(1);
        Sizes {
            packet: self.packet_bytes,
            receipt: self.receipt_bytes,
            confirmations: messages as f64 / documents as f64,
            batch: usize::try_from(self.confirmed.handovers.div_ceil(messages))
                .unwrap_or(1)
                .max(1),
        }
    }

    fn per_second(&self) -> f64 {
        self.closed.as_ref().map_or(0.0, Run::per_second)
    }

    /// One object. Figures of parts that were left out are null.
    pub(crate) fn to_json(&self) -> Value {
        let at = |part: &Option<Latency>, quantile| {
            let part = part.as_ref()?;
            Some(tenths(part.run.milliseconds(quantile)))
        };
        let disk =
            |part: &Option<Latency>, figure: fn(&Disk) -> f64| Some(tenths(figure(&part.as_ref()?.disk)));
        let (sizes, rate) = (self.sizes(), self.per_second());
        let has_baseline = self.baseline > 0.0;
        let mut stages = self.cost.stages.clone();
        stages.insert("gateway".to_owned(), self.cost.gateway);
        json!({
            "documents_per_second": tenths(rate),
            "baseline_per_second": has_baseline.then_some(tenths(self.baseline)),
            "ratio": has_baseline.then_some((rate / self.baseline * 1e3).round() / 1e3),
            "p50_ms": at(&self.three_quarters, 0.5),
            "p99_ms": at(&self.three_quarters, 0.99),
            "p99_half_load_ms": at(&self.half, 0.99),
            "p50_half_load_ms": at(&self.half, 0.5),
            "p99_fixed_rate_ms": at(&self.fixed, 0.99),
            "p50_fixed_rate_ms": at(&self.fixed, 0.5),
            "disk_stalled_half_load_percent": disk(&self.half, Disk::stalled_percent),
            "disk_longest_half_load_ms": disk(&self.half, Disk::longest_ms),
            "disk_stalled_fixed_rate_percent": disk(&self.fixed, Disk::stalled_percent),
            "disk_longest_fixed_rate_ms": disk(&self.fixed, Disk::longest_ms),
            "gateway_rss_mib": tenths(self.memory.held),
            "gateway_mapped_mib": tenths(self.memory.mapped),
            "cpu_us_per_document": stages.into_iter().map(|(name, us)| (name, json!(us.round()))).collect::<serde_json::Map<_, _>>(),
            "cpu_us_per_document_broker": self.cost.broker.round(),
            "cpu_us_per_document_connectors": self.cost.connectors.round(),
            "processors_busy": tenths(self.cost.processors),
            "documents": self.closed.as_ref().map(|run| run.documents),
            "repeats": self.repeats,
            "pdf_bytes": self.pdf_bytes,
            "packet_bytes": self.packet_bytes,
            "receipt_bytes": self.receipt_bytes,
            "confirmations_per_document": (sizes.confirmations * 1e3).round() / 1e3,
        })
    }

    /// The same for people.
    pub(crate) fn print_table(&self) {
        let row = |name: &str, value: String| println!("{name:<44}{value:>16}");
        let latency = |name: &str, part: &Option<Latency>| {
            let Some(Latency { run, disk }) = part else { return };
            for (quantile, word) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9"), (1.0, "max")] {
                row(
                    &format!("latency at {name}, {word}"),
                    format!("{:.1} ms", run.milliseconds(quantile)),
                );
            }
            row(
                &format!("disk at {name}, stalled / longest"),
                format!("{:.1} % / {:.0} ms", disk.stalled_percent(), disk.longest_ms()),
            );
        };
        row(
            "documents a second, sustained",
            format!("{:.1}", self.per_second()),
        );
        row(
            "bare broker, document-equivalents a second",
            format!("{:.1}", self.baseline),
        );
        if self.baseline > 0.0 {
            row("ratio", format!("{:.3}", self.per_second() / self.baseline));
        }
        latency("75 % load", &self.three_quarters);
        latency("50 % load", &self.half);
        latency(&format!("{} documents/s", crate::FIXED_RATE), &self.fixed);
        row(
            "gateway memory, anonymous and shared",
            format!("{:.1} MiB", self.memory.held),
        );
        row("gateway memory, mapped", format!("{:.1} MiB", self.memory.mapped));
        for (stage, us) in &self.cost.stages {
            row(
                &format!("processor, gateway, {stage}"),
                format!("{us:.0} us/document"),
            );
        }
        row(
            "processor, gateway, all",
            format!("{:.0} us/document", self.cost.gateway),
        );
        row(
            "processor, broker",
            format!("{:.0} us/document", self.cost.broker),
        );
        row(
            "processor, connectors",
            format!("{:.0} us/document", self.cost.connectors),
        );
        row("processors kept busy", format!("{:.2}", self.cost.processors));
        row(
            "PDF / packet / receipt",
            format!(
                "{} / {} / {} B",
                self.pdf_bytes, self.packet_bytes, self.receipt_bytes
            ),
        );
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// All processor clocks at one moment, in seconds.
pub(crate) struct Clocks {
    at: std::time::Instant,
    stages: BTreeMap<String, f64>,
    gateway: f64,
    broker: f64,
    connectors: f64,
}

impl Clocks {
    pub(crate) async fn read(station: &Station) -> Clocks {
        let pid = station.gateway.pid();
        Clocks {
            at: std::time::Instant::now(),
            stages: stages(
                &station.cpu_seconds_by_task().await,
                &meter::cpu_seconds_by_thread(pid),
            ),
            gateway: meter::cpu_seconds(pid),
            broker: meter::cpu_seconds(station.broker.pid()),
            connectors: meter::cpu_seconds(std::process::id()),
        }
    }

    /// What was used from here to `end` for each of so many documents.
    pub(crate) fn until(&self, end: &Clocks, documents: usize) -> Cost {
        let each = |seconds: f64| seconds * MICROSECONDS / documents as f64;
        let stage = |(name, seconds): (&String, &f64)| {
            let before = self.stages.get(name).copied().unwrap_or(0.0);
            (name.clone(), each(seconds - before))
        };
        let (gateway, broker) = (end.gateway - self.gateway, end.broker - self.broker);
        let connectors = end.connectors - self.connectors;
        Cost {
            stages: end.stages.iter().map(stage).collect(),
            gateway: each(gateway),
            broker: each(broker),
            connectors: each(connectors),
            processors: (gateway + broker + connectors) / (end.at - self.at).as_secs_f64(),
        }
    }
}

/// Seconds of each stage. Inspectors and the writer are threads, known to the kernel; the other stages are tasks, counted
/// by the gateway; what the runtime's threads used beside these is `runtime`, what is in no stage's name `other`.
///
/// The writer serves record, tell, dispatch and settle alike, one commit after the other; it is told apart (`writer`,
/// with the threads of its index) rather than shared out. `broker` is the client library: its threads and our connections.
fn stages(tasks: &BTreeMap<String, f64>, threads: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let mut stages = BTreeMap::new();
    let mut add = |stage: &str, seconds: f64| *stages.entry(stage.to_owned()).or_insert(0.0) += seconds;
    for (task, seconds) in tasks {
        add(
            match task.as_str() {
                "receive" | "pump" => "receive",
                "record" | "tell" | "dispatch" | "settle" | "broker" => task,
                _ => "other",
            },
            *seconds,
        );
    }
    for (thread, seconds) in threads {
        match thread.as_str() {
            "inspect" => add("inspect", *seconds),
            "store-writer" | "log flusher" | "sled-io" => add("writer", *seconds),
            "lapin-io-loop" => add("broker", *seconds),
            "tokio-rt-worker" => add("runtime", seconds - tasks.values().sum::<f64>()),
            _ => add("other", *seconds),
        }
    }
    stages
}

/// Looks at a process's memory twice a second.
pub(crate) struct MemoryWatch {
    largest: std::sync::Arc<std::sync::Mutex<Memory>>,
    _looking: JoinSet<()>,
}

impl MemoryWatch {
    pub(crate) fn start(pid: u32) -> MemoryWatch {
        let largest = std::sync::Arc::new(std::sync::Mutex::new(Memory::default()));
        let mut looking = JoinSet::new();
        let seen = std::sync::Arc::clone(&largest);
        looking.spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(500));
            loop {
                tick.tick().await;
                let mut largest = seen.lock().expect("nobody panics while holding it");
                *largest = largest.or_more(Memory::of(pid));
            }
        });
        MemoryWatch {
            largest,
            _looking: looking,
        }
    }

    pub(crate) fn largest(&self) -> Memory {
        *self.largest.lock().expect("nobody panics while holding it")
    }
}
