//! The sections of the configuration: one struct each, with every key, its unit, its default and its range.
//!
//! **Invariant:** defaults are safe: loopback only, bounded memory, nothing private reachable.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::ids::Code;
use domain::verify::SealDemands;
use domain::wire::TARGETS_TOLD_MAX;

use super::fault::Problem;
use super::key::KeySource;
use super::reader::Section;
use super::seals;
use super::secret::Secret;

pub(super) const KIB: u64 = 1 << 10;
pub(super) const MIB: u64 = 1 << 20;
pub(super) const GIB: u64 = 1 << 30;
pub(super) const DAY_SECONDS: u64 = 86_400;
const YEAR_SECONDS: u64 = 366 * DAY_SECONDS;
/// The largest packet that can go the whole way: it must fit into the narrowest queue on it, the intake of an account
/// (`broker::topology`); a test compares. The broker has a limit of its own, which is set there (`max_message_size`).
const PACKET_BYTES_MAX: u64 = 64 * MIB;

/// `[gateway]`: who this gateway is, and where it keeps what it keeps.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// `code`: the gateway's own code, the `From` of status packets and the issuer in receipts; no agency may bear it.
    /// Needed.
    pub code: Code,
    /// `data_dir`: journal, archive, index, trust cache, token and address of the internal port. Needed; made if
    /// missing.
    pub data_dir: PathBuf,
    /// `key_file`: private key that signs receipts; PKCS#8 in PEM, P-256 or RSA. Needed with
    /// `certificate_file`: the certificate of that key, PEM; further certificates in it go along with receipts. Instead of
    /// the key file there may be a token, instead of both a PKCS#12 file.
    pub key: KeySource,
    /// `certificate_notice_seconds`: how long before the end of its certificate that end is told. Default 30 days.
    pub certificate_notice: Duration,
    /// `inspect_threads`: threads that open and verify packets; 0 means one a processor. Default 0, at most 256.
    pub inspect_threads: usize,
    /// `clock_jump_seconds_max`: how far the time of day may part from the monotonic clock within an hour, or lie at
    /// the start before the newest event of the journal. Default 30.
    pub clock_jump_max: Duration,
    /// `shutdown_seconds`: how long a graceful end may take. Default 30.
    pub shutdown_max: Duration,
}

impl GatewayConfig {
    pub(super) fn read(mut section: Section<'_>) -> Option<GatewayConfig> {
        let text = section.needed("code");
        let code = Code::parse(&text).ok();
        if code.is_none() && !text.trim().is_empty() {
            section.fault(
                "code",
                Problem::Value {
                    wanted: "an agency code".to_owned(),
                    found: text,
                },
            );
        }
        let data_dir = section.needed_path("data_dir");
        if data_dir.exists() && !data_dir.is_dir() {
            section.fault("data_dir", Problem::NoFolder(data_dir.clone()));
        }
        let key = KeySource::read(&mut section);
        let notice = section.number("certificate_notice_seconds", 0..=YEAR_SECONDS, 30 * DAY_SECONDS);
        let inspect_threads = section.number("inspect_threads", 0..=256, 0);
        let clock_jump_max = Duration::from_secs(section.number("clock_jump_seconds_max", 1..=3600, 30));
        let shutdown_max = Duration::from_secs(section.number("shutdown_seconds", 1..=600, 30));
        section.end();
        let code = code?;
        Some(GatewayConfig {
            code,
            data_dir,
            key,
            certificate_notice: Duration::from_secs(notice),
            inspect_threads,
            clock_jump_max,
            shutdown_max,
        })
    }
}

/// `[broker]`: the way to RabbitMQ.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// `uri`: `amqp://host:port` or `amqps://host:port`, without user and password. Default `amqp://127.0.0.1:5672`.
    pub uri: String,
    /// `user`: the gateway's broker user. Default `gateway`.
    pub user: String,
    /// `password`: its password. Needed.
    pub password: Secret,
    /// `vhost`: Default `lienthong`.
    pub vhost: String,
    /// `ca_file`: certificates that the broker's own must chain to, PEM; the system's are not asked then.
    pub ca_file: Option<PathBuf>,
    /// `prefetch_count`: unacknowledged submissions at most. Default 256.
    pub prefetch_count: u16,
    /// `prefetch_bytes_max`: bytes of unacknowledged submissions at most. Default 64 MiB.
    pub prefetch_bytes_max: u64,
    /// `window`: dispatches in one inbox at most; the rest waits in the journal. Default 64.
    pub window: usize,
    /// `dispatch_bytes_max`: bytes of dispatches on their way into inboxes at most, a quarter of them for urgent ones. Default
    /// 64 MiB.
    pub dispatch_bytes_max: u64,
    /// `window_urgent`: places beside the window that only urgent dispatches take. Default 16.
    pub window_urgent: usize,
    /// `unconfirmed_max`: published messages waiting for the broker's confirm at most. Default 1024.
    pub unconfirmed_max: usize,
    /// `confirm_seconds`: how long a confirm may take before the attempt is *not now*. Default 30.
    pub confirm_max: Duration,
    /// `heartbeat_seconds`: Default 20.
    pub heartbeat: Duration,
    /// `[broker.provision]`: the credential that makes users, permissions and queues; absent where another does that.
    pub provision: Option<ProvisionConfig>,
}

/// `[broker.provision]`: the broker's management interface.
#[derive(Debug, Clone)]
pub struct ProvisionConfig {
    /// `management_uri`: for instance `http://127.0.0.1:15672`. Needed.
    pub management_uri: String,
    /// `user`: a user with the tag `administrator`. Needed.
    pub user: String,
    /// `password`: its password. Needed.
    pub password: Secret,
}

impl BrokerConfig {
    pub(super) fn read(mut section: Section<'_>) -> BrokerConfig {
        let uri = section
            .text("uri")
            .unwrap_or_else(|| "amqp://127.0.0.1:5672".to_owned());
        if !is_broker_uri(&uri) {
            let wanted = "amqp:// or amqps:// with host and port, without user, password and path".to_owned();
            // The text may hold a password, which is why it is not repeated.
            section.fault(
                "uri",
                Problem::Value {
                    wanted,
                    found: "…".to_owned(),
                },
            );
        }
        let password = section.needed_secret();
        let provision = section.inner("provision");
        let config = BrokerConfig {
            uri,
            user: section.words("user").unwrap_or_else(|| "gateway".to_owned()),
            password,
            vhost: section.words("vhost").unwrap_or_else(|| "lienthong".to_owned()),
            ca_file: section.file("ca_file"),
            prefetch_count: section.number("prefetch_count", 1..=10_000, 256),
            prefetch_bytes_max: section.number("prefetch_bytes_max", MIB..=16 * GIB, 64 * MIB),
            window: section.number("window", 1..=10_000, 64),
            dispatch_bytes_max: section.number("dispatch_bytes_max", MIB..=16 * GIB, 64 * MIB),
            window_urgent: section.number("window_urgent", 0..=10_000, 16),
            unconfirmed_max: section.number("unconfirmed_max", 1..=65_535, 1024),
            confirm_max: Duration::from_secs(section.number("confirm_seconds", 1..=600, 30)),
            heartbeat: Duration::from_secs(section.number("heartbeat_seconds", 1..=600, 20)),
            provision: None,
        };
        let provision =
            provision.map(|table| ProvisionConfig::read(section.nested("broker.provision", table)));
        section.end();
        BrokerConfig { provision, ..config }
    }
}

impl ProvisionConfig {
    fn read(mut section: Section<'_>) -> ProvisionConfig {
        let management_uri = section.needed("management_uri");
        let web = management_uri
            .strip_prefix("http://")
            .or(management_uri.strip_prefix("https://"));
        if !management_uri.trim().is_empty() && web.is_none_or(|rest| rest.is_empty() || rest.contains('@')) {
            let wanted = "http:// or https:// without user and password".to_owned();
            section.fault(
                "management_uri",
                Problem::Value {
                    wanted,
                    found: "…".to_owned(),
                },
            );
        }
        let user = section.needed("user");
        let password = section.needed_secret();
        section.end();
        ProvisionConfig {
            management_uri,
            user,
            password,
        }
    }
}

fn is_broker_uri(uri: &str) -> bool {
    let Some(place) = uri.strip_prefix("amqp://").or(uri.strip_prefix("amqps://")) else {
        return false;
    };
    let Some((host, port)) = place.rsplit_once(':') else {
        return false;
    };
    !host.is_empty() && !host.contains(['@', '/']) && port.parse::<u16>().is_ok()
}

/// `[store]`: journal, archive and index, all under `data_dir`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreConfig {
    /// `inline_bytes_max`: originals up to this size go into pack segments, larger ones become files. Default 1 MiB.
    pub inline_bytes_max: usize,
    /// `segment_bytes_max`: size at which a segment of journal or pack is closed. Default 64 MiB.
    pub segment_bytes_max: u64,
    /// `index_cache_bytes`: memory of the index's cache. Default 32 MiB.
    pub index_cache_bytes: u64,
    /// `index_flush_milliseconds`: time between writes of the index' own log. Default 500.
    pub index_flush_milliseconds: u64,
    /// `queue_commits_max`: commits that may wait for the writer. Default 1024.
    pub queue_commits_max: usize,
    /// `commit_interval_milliseconds`: least time between two batches of commits under load. Default 5.
    pub commit_interval: Duration,
    /// `interval_from_commits`: what load is: so many commits in one batch. Default 16.
    pub interval_from_commits: usize,
    /// `free_bytes_min`: below so much free disk the gateway says that it is not ready. Default 1 GiB.
    pub free_bytes_min: u64,
}

impl StoreConfig {
    pub(super) fn read(mut section: Section<'_>) -> StoreConfig {
        let config = StoreConfig {
            inline_bytes_max: section.number("inline_bytes_max", 1024..=64 << 20, 1 << 20),
            segment_bytes_max: section.number("segment_bytes_max", MIB..=4 * GIB, 64 * MIB),
            index_cache_bytes: section.number("index_cache_bytes", MIB..=64 * GIB, 32 * MIB),
            index_flush_milliseconds: section.number("index_flush_milliseconds", 10..=60_000, 500),
            queue_commits_max: section.number("queue_commits_max", 1..=65_536, 1024),
            interval_from_commits: section.number("interval_from_commits", 1..=256, 16),
            commit_interval: Duration::from_millis(section.number(
                "commit_interval_milliseconds",
                0..=100,
                5,
            )),
            free_bytes_min: section.number("free_bytes_min", 0..=1024 * GIB, GIB),
        };
        if config.segment_bytes_max < config.inline_bytes_max as u64 {
            section.fault(
                "segment_bytes_max",
                Problem::Contradiction("must not be smaller than inline_bytes_max"),
            );
        }
        section.end();
        config
    }
}

/// `[exchange]`: how long things may take, and what is demanded of seals.
#[derive(Debug, Clone)]
pub struct ExchangeConfig {
    /// `delivery_limit_seconds`: a dispatch that is not handed over by then has failed. Default 7 days.
    pub delivery_limit_seconds: u64,
    /// `hold_limit_seconds`: what is held longer is refused. Default 1 day.
    pub hold_limit_seconds: u64,
    /// `consignment_notice_seconds`: a dispatch that is not handed over by then is told to its sender as lying in
    /// the inbox. Default 1 hour.
    pub consignment_notice_seconds: u64,
    /// `retry_seconds`: how long until what failed for a passing reason is tried again. Default 5.
    pub retry_seconds: u64,
    /// `damaged_rest_seconds`: how long until a dispatch is tried again whose bytes could not be read. Default 60.
    pub damaged_rest_seconds: u64,
    /// `damaged_passed_over_max`: of one addressee so many of those are passed over; with more of them it rests after each
    /// that is found again. Default 1,000.
    pub damaged_passed_over_max: usize,
    /// `hold_retry_seconds`: how often what is held is looked at again. Default 60.
    pub hold_retry_seconds: u64,
    /// `closed_account_seconds`: what comes from an account that was closed longer ago waits for a person. Default 1 hour.
    pub closed_account_seconds: u64,
    /// `sweep_seconds`: how often due, late and expired dispatches are looked for. Default 5.
    pub sweep_seconds: u64,
    /// `[exchange.seals]`: what is demanded of the seals of a packet.
    pub seals: SealDemands,
}

impl ExchangeConfig {
    pub(super) fn read(mut section: Section<'_>) -> ExchangeConfig {
        let demands = section.inner("seals").unwrap_or_default();
        let demands = seals::read(section.nested("exchange.seals", demands));
        let config = ExchangeConfig {
            delivery_limit_seconds: section.number(
                "delivery_limit_seconds",
                1..=YEAR_SECONDS,
                7 * DAY_SECONDS,
            ),
            hold_limit_seconds: section.number("hold_limit_seconds", 1..=YEAR_SECONDS, DAY_SECONDS),
            consignment_notice_seconds: section.number("consignment_notice_seconds", 1..=YEAR_SECONDS, 3600),
            retry_seconds: section.number("retry_seconds", 1..=3600, 5),
            damaged_rest_seconds: section.number("damaged_rest_seconds", 1..=DAY_SECONDS, 60),
            damaged_passed_over_max: section.number("damaged_passed_over_max", 1..=100_000, 1000),
            hold_retry_seconds: section.number("hold_retry_seconds", 1..=DAY_SECONDS, 60),
            closed_account_seconds: section.number("closed_account_seconds", 0..=YEAR_SECONDS, 3600),
            sweep_seconds: section.number("sweep_seconds", 1..=3600, 5),
            seals: demands,
        };
        section.end();
        config
    }
}

/// `[limits]`: how much one packet may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsConfig {
    /// `packet_bytes_max`: bytes of one packet. Default 16 MiB, at most 64 MiB: what the queues carry.
    pub packet_bytes_max: u64,
    /// `depth_max`: elements open at once. Default 64.
    pub depth_max: usize,
    /// `nodes_max`: elements, texts, attributes and namespace declarations together. Default 250,000.
    pub nodes_max: usize,
    /// `attributes_max`: attributes of one element. Default 32.
    pub attributes_max: usize,
    /// `addressees_max`: addressees of one packet. Default 5,000.
    pub addressees_max: usize,
    /// `attachments_max`: attachments of one packet. Default 200.
    pub attachments_max: usize,
    /// `attachment_bytes_max`: bytes of one attachment, decoded and unzipped. Default 50,000,000 (QĐ 161/2025 Ninh
    /// Bình Đ8.4).
    pub attachment_bytes_max: u64,
    /// `contents_bytes_max`: bytes of all attachments, decoded and unzipped. Default 64 MiB.
    pub contents_bytes_max: u64,
    /// `expansion_ratio_max`: how many times larger than its zip a file may be. Default 100.
    pub expansion_ratio_max: usize,
    /// `text_bytes_max`: bytes of one text. Default 64 KiB.
    pub text_bytes_max: usize,
    /// `targets_max`: documents that one packet may recall, update or replace. Default 256, which is the most: as many
    /// travel beside it to each addressee.
    pub targets_max: usize,
    /// `changes_max`: how often one document may be sent under its id, updated, replaced or recalled. Default 256, which is
    /// the most: a recall takes back all of it, and is refused only where nothing of it counts any more.
    pub changes_max: usize,
    /// `statuses_max`: statuses of one addressee about one document, and requests to it. Default 1,000.
    pub statuses_max: usize,
}

impl LimitsConfig {
    pub(super) fn read(mut section: Section<'_>) -> LimitsConfig {
        let config = LimitsConfig {
            packet_bytes_max: section.number("packet_bytes_max", KIB..=PACKET_BYTES_MAX, 16 * MIB),
            depth_max: section.number("depth_max", 16..=4096, 64),
            nodes_max: section.number("nodes_max", 1000..=10_000_000, 250_000),
            attributes_max: section.number("attributes_max", 8..=1024, 32),
            addressees_max: section.number("addressees_max", 1..=100_000, 5000),
            attachments_max: section.number("attachments_max", 1..=10_000, 200),
            attachment_bytes_max: section.number("attachment_bytes_max", KIB..=GIB, 50_000_000),
            contents_bytes_max: section.number("contents_bytes_max", KIB..=4 * GIB, 64 * MIB),
            expansion_ratio_max: section.number("expansion_ratio_max", 1..=1032, 100),
            text_bytes_max: section.number("text_bytes_max", 1024..=16 << 20, 64 << 10),
            targets_max: section.number("targets_max", 1..=TARGETS_TOLD_MAX, TARGETS_TOLD_MAX),
            changes_max: section.number("changes_max", 1..=TARGETS_TOLD_MAX, TARGETS_TOLD_MAX),
            statuses_max: section.number("statuses_max", 10..=10_000, 1000),
        };
        section.end();
        config
    }
}

/// `[http]`: the internal port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpConfig {
    /// `listen`: address and port; port 0 takes a free one, told in `data_dir/http.address`. Default `127.0.0.1:9710`.
    pub listen: SocketAddr,
    /// `body_bytes_max`: size of one request at most. Default 16 MiB: a directory import.
    pub body_bytes_max: usize,
    /// Size of one revocation list at most: `[trust] crl_bytes_max`.
    pub list_bytes_max: usize,
}

impl HttpConfig {
    pub(super) fn read(mut section: Section<'_>, crl_bytes_max: u64) -> HttpConfig {
        let listen = section.parsed("listen", "an address with port, such as 127.0.0.1:9710");
        let config = HttpConfig {
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9710))),
            body_bytes_max: section.number("body_bytes_max", 1024..=256 << 20, 16 << 20),
            list_bytes_max: usize::try_from(crl_bytes_max).unwrap_or(usize::MAX),
        };
        section.end();
        config
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// `[log]`: what is logged, to standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// `format`: `text` or `json`. Default `text`.
    pub format: LogFormat,
    /// `level`: `error`, `warn`, `info`, `debug` or `trace`. Default `info`.
    pub level: tracing::Level,
}

impl LogConfig {
    pub(super) fn read(mut section: Section<'_>) -> LogConfig {
        use tracing::Level;
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let levels = [
            ("error", Level::ERROR),
            ("warn", Level::WARN),
            ("info", Level::INFO),
            ("debug", Level::DEBUG),
            ("trace", Level::TRACE),
        ];
        let format = section.choice("format", &formats, LogFormat::Text);
        let level = section.choice("level", &levels, Level::INFO);
        section.end();
        LogConfig { format, level }
    }
}
