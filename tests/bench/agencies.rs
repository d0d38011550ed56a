//! How many queues can an agency have? Measures one private RabbitMQ node with the topology of all agencies:
//! declaring it, memory, restarts, opening a consumer on every intake, having them again after a restart, and what
//! thousands of idle queues cost those that work.
//!
//! Not part of the tests: it answers a question of design, takes minutes, and its figures hold for one machine.
//! Run: `cargo run --release -p tests --bin agencies -- --agencies 1300 --queues 1,2,3 [--json]`.
#![expect(clippy::print_stdout, reason = "a command prints what it found")]

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Parser;
use futures_util::future::try_join_all;
use harness::{broker::Broker, wait_until};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    message::DeliveryResult,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
};
use serde_json::{Value, json};

const VHOST: &str = "lienthong";
/// Agencies that send in the throughput part, whatever their number is.
const ACTIVE: usize = 20;
const BODY_BYTES: usize = 5 * 1024;
/// Confirms outstanding: where the broker's rate no longer grows.
const OUTSTANDING: usize = 256;
const PREFETCH: u16 = 16;
const DEADLINE: Duration = Duration::from_secs(600);
/// Kernel ticks a second in /proc/PID/stat, on every Linux of this architecture.
const TICKS: f64 = 100.0;

#[derive(Parser)]
#[command(about = "Measures one RabbitMQ node with the queues of all agencies")]
struct Arguments {
    /// How many agencies.
    #[arg(long, default_value_t = 1_300)]
    agencies: usize,
    /// Which numbers of queues per agency to try: 1 intake, 2 and inbox, 3 and urgent inbox.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    queues: Vec<usize>,
    /// Messages in each throughput run.
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
    /// Channels over which the intakes are consumed.
    #[arg(long, default_value_t = 1)]
    channels: usize,
    /// Prints one line of JSON in place of the table.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let mut columns = vec![measure(ACTIVE, 1, &arguments).await];
    for queues in &arguments.queues {
        columns.push(measure(arguments.agencies, *queues, &arguments).await);
    }
    if arguments.json {
        println!("{}", Value::Array(columns));
    } else {
        print_table(&columns);
    }
}

fn print_table(columns: &[Value]) {
    let first = columns[0].as_object().expect("a measurement is an object");
    for name in first.keys() {
        print!("{name:<36}");
        for column in columns {
            print!("{:>14}", column[name].to_string());
        }
        println!();
    }
}

/// All figures of one node with `agencies` agencies of `queues` queues each.
async fn measure(agencies: usize, queues: usize, arguments: &Arguments) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let mut broker = Broker::start(folder.path()).await;
    let rss_empty = resident_mib(broker.pid());
    let started = Instant::now();
    broker.management().import(&definitions(agencies, queues)).await;
    let admin = broker.admin().user.clone();
    broker.management().grant(VHOST, &admin, [".*", ".*", ".*"]).await;
    let declare_s = started.elapsed().as_secs_f64();
    broker.queues_registered().await;

    let restart_s = {
        let started = Instant::now();
        broker.stop().await;
        let stopped = started.elapsed().as_secs_f64();
        broker.start_again().await;
        (stopped, started.elapsed().as_secs_f64() - stopped)
    };
    let killed = Instant::now();
    broker.kill();
    broker.start_again().await;
    let restart_after_kill_s = killed.elapsed().as_secs_f64();

    let consumers = Consumers::open(&broker, agencies, arguments.channels).await;
    let recover_s = consumers.recover(&mut broker, agencies).await;
    let idle_cpu = cpu_share(broker.pid(), Duration::from_secs(20)).await;
    let rss_idle = resident_mib(broker.pid());
    let reported = reported_mib(&broker).await;
    let mut rates = Vec::new();
    for _ in 0..3 {
        rates.push(throughput(&broker, &consumers, arguments.messages).await.round());
    }
    close(&consumers.connection).await;
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", broker.pid())).map_or(0, Iterator::count);
    json!({
        "agencies": agencies,
        "queues_each": queues,
        "declare_s": tenths(declare_s),
        "rss_mib_empty": rss_empty,
        "rss_mib_with_consumers_idle": rss_idle,
        "reported_mib_idle": reported,
        "rss_mib_after_load": resident_mib(broker.pid()),
        "file_descriptors": descriptors,
        "disk_mib": disk_mib(folder.path()),
        "stop_s": tenths(restart_s.0),
        "boot_s": tenths(restart_s.1),
        "boot_after_kill_9_s": tenths(restart_after_kill_s),
        "open_consumers_s": tenths(consumers.opened_s),
        "consumers_again_after_boot_s": tenths(recover_s.0),
        "consumers_again_since_stop_s": tenths(recover_s.1),
        "idle_cpu_percent_of_a_core": tenths(idle_cpu * 100.0),
        "messages_per_s_20_active": rates,
    })
}

/// The intake side of a gateway: one connection, a consumer on every intake, acknowledging what comes.
struct Consumers {
    connection: Connection,
    received: Arc<AtomicU64>,
    opened_s: f64,
}

impl Consumers {
    async fn open(broker: &Broker, agencies: usize, channels: usize) -> Consumers {
        let properties = ConnectionProperties::default()
            .enable_auto_recover()
            .configure_backoff(|backoff| backoff.without_max_times().with_max_delay(Duration::from_secs(1)));
        let connection = Connection::connect(&uri(broker), properties)
            .await
            .expect("the broker serves");
        let received = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let mut opening = Vec::new();
        for part in 0..channels {
            let channel = connection.create_channel().await.expect("a channel");
            channel
                .basic_qos(PREFETCH, BasicQosOptions::default())
                .await
                .expect("a limit");
            let mine = (0..agencies).skip(part).step_by(channels);
            opening.push(consume(channel, mine.collect(), Arc::clone(&received)));
        }
        try_join_all(opening).await.expect("every intake can be consumed");
        Consumers {
            connection,
            received,
            opened_s: started.elapsed().as_secs_f64(),
        }
    }

    /// Restarts the broker cleanly, and says how long after its boot, and after the order to stop, the last intake
    /// has its consumer again.
    async fn recover(&self, broker: &mut Broker, agencies: usize) -> (f64, f64) {
        let stopping = Instant::now();
        broker.stop().await;
        broker.start_again().await;
        let booted = Instant::now();
        let connection = Connection::connect(&uri(broker), ConnectionProperties::default())
            .await
            .expect("it serves");
        let channel = connection.create_channel().await.expect("a channel");
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        for number in 0..agencies {
            let name = format!("intake.{}", account(number));
            wait_until(&format!("{name} has its consumer again"), DEADLINE, async || {
                let declared = channel
                    .queue_declare(name.as_str().into(), options, FieldTable::default())
                    .await;
                declared.expect("the queue is there").consumer_count() == 1
            })
            .await;
        }
        let elapsed = (booted.elapsed().as_secs_f64(), stopping.elapsed().as_secs_f64());
        close(&connection).await;
        elapsed
    }
}

/// Opens a consumer on the intake of each of `agencies`, one after the other.
async fn consume(channel: Channel, agencies: Vec<usize>, received: Arc<AtomicU64>) -> lapin::Result<()> {
    for number in agencies {
        let queue = format!("intake.{}", account(number));
        let consumer = channel
            .basic_consume(
                queue.as_str().into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        let received = Arc::clone(&received);
        consumer.set_delegate(move |delivery: DeliveryResult| {
            let received = Arc::clone(&received);
            async move {
                if let Ok(Some(delivery)) = delivery {
                    delivery
                        .ack(BasicAckOptions::default())
                        .await
                        .expect("the broker serves");
                    received.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    Ok(())
}

/// Messages a second, published in confirmed pipelines to the active agencies' intakes and consumed meanwhile.
async fn throughput(broker: &Broker, consumers: &Consumers, messages: usize) -> f64 {
    let connection = Connection::connect(&uri(broker), ConnectionProperties::default())
        .await
        .expect("the broker serves");
    let channel = connection.create_channel().await.expect("a channel");
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .expect("confirms");
    let wanted = consumers.received.load(Ordering::Relaxed) + messages as u64;
    let body = vec![b'x'; BODY_BYTES];
    let started = Instant::now();
    let mut outstanding = VecDeque::new();
    for number in 0..messages {
        if outstanding.len() == OUTSTANDING {
            confirmed(outstanding.pop_front().expect("not empty")).await;
        }
        outstanding.push_back(publish(&channel, number % ACTIVE, &body).await);
    }
    for confirm in outstanding {
        confirmed(confirm).await;
    }
    wait_until("every message is consumed", DEADLINE, async || {
        consumers.received.load(Ordering::Relaxed) >= wanted
    })
    .await;
    let rate = messages as f64 / started.elapsed().as_secs_f64();
    close(&connection).await;
    rate
}

#[expect(
    clippy::disallowed_methods,
    reason = "what bare publishing costs is measured here"
)]
async fn publish(
    channel: &Channel,
    agency: usize,
    body: &[u8],
) -> impl Future<Output = lapin::Result<Confirmation>> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = BasicProperties::default().with_delivery_mode(2);
    let key = format!("normal.{}", account(agency));
    channel
        .basic_publish("submit".into(), key.as_str().into(), options, body, properties)
        .await
        .expect("the broker serves")
}

async fn confirmed(confirm: impl Future<Output = lapin::Result<Confirmation>>) {
    let confirmation = confirm.await.expect("the broker serves");
    assert!(
        matches!(confirmation, Confirmation::Ack(None)),
        "{confirmation:?}"
    );
}

/// Connections have threads of their own, which must end before the runtime does.
async fn close(connection: &Connection) {
    connection
        .close(200, "done".into())
        .await
        .expect("the broker serves");
}

fn uri(broker: &Broker) -> String {
    broker.amqp_uri(&broker.admin().user, &broker.admin().password, VHOST)
}

fn account(number: usize) -> String {
    format!("a{number:05}")
}

/// The topology in the shape that the management interface imports at once: virtual host, exchanges, queues,
/// bindings, and a user with its permissions for every agency.
fn definitions(agencies: usize, queues_each: usize) -> Value {
    let exchange = |name: &str, kind: &str| {
        json!({"name": name, "vhost": VHOST, "type": kind, "durable": true, "auto_delete": false,
               "internal": false, "arguments": {}})
    };
    let binding = |source: &str, key: &str, queue: &str| {
        json!({"source": source, "vhost": VHOST, "destination": queue, "destination_type": "queue",
               "routing_key": key, "arguments": {}})
    };
    let mut queues: Vec<Value> = ["intake.urgent", "intake.confirm", "parked"].map(queue).to_vec();
    let mut bindings = vec![
        binding("submit", "urgent.*", "intake.urgent"),
        binding("submit", "confirm.*", "intake.confirm"),
    ];
    let (mut users, mut permissions, mut topic_permissions) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..agencies {
        let account = account(number);
        let all = [
            ("submit", format!("normal.{account}"), format!("intake.{account}")),
            ("deliver", account.clone(), format!("inbox.{account}")),
            (
                "deliver",
                format!("urgent.{account}"),
                format!("inbox.urgent.{account}"),
            ),
        ];
        for (source, key, name) in all.iter().take(queues_each) {
            queues.push(queue(name));
            bindings.push(binding(source, key, name));
        }
        users.push(
            json!({"name": account, "password_hash": password_hash(&account), "tags": "",
                          "hashing_algorithm": "rabbit_password_hashing_sha256", "limits": {}}),
        );
        permissions.push(
            json!({"user": account, "vhost": VHOST, "configure": "^$", "write": "^submit$",
                                "read": format!("^inbox\\.{account}$")}),
        );
        topic_permissions.push(
            json!({"user": account, "vhost": VHOST, "exchange": "submit", "read": "^$",
                                      "write": format!("^(normal|urgent|confirm)\\.{account}$")}),
        );
    }
    json!({
        "vhosts": [{"name": VHOST}],
        "exchanges": [exchange("submit", "topic"), exchange("deliver", "direct")],
        "queues": queues, "bindings": bindings,
        "users": users, "permissions": permissions, "topic_permissions": topic_permissions,
    })
}

fn queue(name: &str) -> Value {
    json!({"name": name, "vhost": VHOST, "durable": true, "auto_delete": false, "arguments": {
        "x-queue-type": "quorum", "x-overflow": "reject-publish", "x-max-length-bytes": 67_108_864,
        "x-delivery-limit": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "parked",
    }})
}

/// RabbitMQ's salted SHA-256: four bytes of salt before the digest of salt and password.
fn password_hash(password: &str) -> String {
    let salt = b"salt";
    let hash = digest(&SHA256, &[salt, password.as_bytes()].concat());
    STANDARD.encode([salt, hash.as_ref()].concat())
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the broker runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("every process has one");
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number");
    kib / 1024
}

/// Memory as the broker itself counts it against its watermark.
async fn reported_mib(broker: &Broker) -> u64 {
    let nodes = broker.management().get("nodes").await;
    nodes[0]["mem_used"].as_u64().expect("bytes") / (1024 * 1024)
}

/// Share of one core that a process used over `span`, all threads.
async fn cpu_share(pid: u32, span: Duration) -> f64 {
    let before = cpu_seconds(pid);
    let started = Instant::now();
    tokio::time::sleep(span).await; // the span that is measured, not a wait for something
    (cpu_seconds(pid) - before) / started.elapsed().as_secs_f64()
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the broker runs");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("a name").split(' ').collect();
    let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / TICKS // utime and stime, fields 14 and 15 of proc(5)
}

fn disk_mib(folder: &std::path::Path) -> u64 {
    fn bytes(folder: &std::path::Path) -> u64 {
        let entries = std::fs::read_dir(folder).expect("the broker's folder can be read");
        entries
            .flatten()
            .map(|entry| match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => bytes(&entry.path()),
                Ok(metadata) => metadata.len(),
                Err(_) => 0, // gone meanwhile
            })
            .sum()
    }
    bytes(&folder.join("mnesia")) / (1024 * 1024)
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
