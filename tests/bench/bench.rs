//! How much does the gateway carry, how fast, and at what cost? The whole road, with the binary as a process of its own,
//! against the bare broker in the same run.
//!
//! Run: `cargo run --release -p tests --bin bench -- [--json] [--seconds 60]`. Its last line is one line of JSON; no
//! figure makes it fail, but a document that does not come through does.
//!
//! Work: 20 agencies with a connector each, edXML packets with one PDF of 14 KB ([`documents`]), signed by a person and
//! an organisation (RSA-2048, chains of three certificates, revocation lists checked), one addressee each, both receipts
//! on, everything durable. Packets are built before each part.
//!
//! Parts: warm-up; *throughput*, a closed loop in which a document leaves when all that follows from it is done (packet
//! and both receipts on the disks of connectors); *latency* at 75 % and at 50 % of that throughput and at a fixed rate,
//! open loops; *baseline* ([`baseline`]) on the same broker after gateway and connectors have ended.
//!
//! `documents_per_second` is from the throughput part; `p50_ms` and `p99_ms` from the 75 % part, `p99_half_load_ms`
//! from the 50 % part, `p99_fixed_rate_ms` from that at [`FIXED_RATE`], which compares builds and machines of unlike
//! throughput; `disk_stalled_*_percent` and `disk_longest_*_ms` beside them tell what the disk did meanwhile ([`disk`]);
//! `gateway_rss_mib` (anonymous and shared memory, /proc/PID/status) is the largest of all parts.
//! `cpu_us_per_document` is from the throughput part.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command prints what it found"
)]

mod baseline;
mod disk;
mod documents;
mod figures;
mod load;
mod meter;
mod station;

use clap::Parser;
use disk::DiskWatch;
use figures::{Clocks, Figures, Latency, MemoryWatch};
use load::Load;
use station::Station;

/// Documents that warm everything up and give a first idea of the throughput.
const WARM_UP: usize = 2_000;
/// Seconds before an open loop is measured.
const WARM_UP_SECONDS: f64 = 5.0;
/// Documents a second that two processors are to carry at least.
const FIXED_RATE: f64 = 300.0;
/// Documents of the baseline.
const BASELINE: usize = 10_000;

#[derive(Parser)]
#[command(about = "Measures the gateway against the bare broker")]
struct Arguments {
    /// Prints only the line of JSON.
    #[arg(long)]
    json: bool,
    /// Length of each open loop after its warm-up; the closed loop takes about half of it.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Documents on their way in the closed loop.
    #[arg(long, default_value_t = 400)]
    outstanding: usize,
    /// Leaves out the open loops and the baseline: for profiling.
    #[arg(long)]
    throughput_only: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a process that cannot start threads can do nothing");
    runtime.block_on(measure(&arguments));
}

async fn measure(arguments: &Arguments) {
    let folder = tempfile::tempdir().expect("a folder");
    say("starting broker, gateway and connectors");
    let mut station = Station::start(folder.path()).await;
    let mut figures = Figures::default();
    let load = Load::new(&station.connectors);
    let mut next = 0;
    let mut documents = |count: f64| {
        let numbers = next..next + count as usize;
        next = numbers.end;
        station.office.build(numbers)
    };
    let pid = station.gateway.pid();
    let watch = MemoryWatch::start(pid);

    say("warming up");
    let warm = documents(WARM_UP as f64);
    figures.packet_bytes = warm.iter().map(|document| document.bytes.len()).sum::<usize>() / warm.len();
    let idea = load.closed(warm, arguments.outstanding).await.per_second();
    figures.receipt_bytes = load.receipt_bytes();
    figures.pdf_bytes = station.office.pdf(0, 0).len();

    let work = documents(idea * f64::from(arguments.seconds) / 2.0);
    say(&format!("throughput (about {idea:.0} documents/s)"));
    let before = Clocks::read(&station).await;
    let confirmed_before = load.totals();
    let closed = load.closed(work, arguments.outstanding).await;
    figures.cost = before.until(&Clocks::read(&station).await, closed.documents);
    figures.confirmed = load.totals().since(confirmed_before);
    let rate = closed.per_second();
    figures.closed = Some(closed);

    if !arguments.throughput_only {
        let parts = [
            (rate * 0.75, &mut figures.three_quarters),
            (rate * 0.5, &mut figures.half),
            (FIXED_RATE, &mut figures.fixed),
        ];
        for (per_second, place) in parts {
            let warm_up = per_second * WARM_UP_SECONDS;
            let work = documents(warm_up + per_second * f64::from(arguments.seconds));
            say(&format!("latency at {per_second:.0} documents/s"));
            let watch = DiskWatch::start(folder.path());
            let run = load.open(work, per_second, warm_up as usize).await;
            *place = Some(Latency {
                run,
                disk: watch.end(),
            });
        }
    }
    figures.repeats = load.totals().repeats;
    figures.memory = watch.largest();
    drop(load);
    station.close().await;
    if !arguments.throughput_only {
        say("baseline");
        let sizes = figures.sizes();
        figures.baseline = baseline::run(&station.broker, &station.accounts, sizes, BASELINE).await;
    }
    if !arguments.json {
        figures.print_table();
    }
    println!("{}", figures.to_json());
}

fn say(what: &str) {
    eprintln!("bench: {what}");
}
