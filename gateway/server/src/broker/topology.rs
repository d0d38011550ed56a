//! Exchanges, queues, bindings and permissions at the broker, declared in this one place.
//!
//! On the road it is the ground under *receive* and *dispatch*: agencies publish to `submit`, the gateway reads the
//! intakes and publishes to `deliver`, agencies read their inboxes. `schemas/topology.json` is [`published`] text.
//!
//! **Invariant:** every queue is a quorum queue, bounded in bytes, and refuses publishers when full: nothing that was
//! confirmed is dropped to make room.
//! **Invariant:** an agency's user may publish only under keys that end in its own account and read only its own
//! inbox; nobody but the provisioning credential has a configure right.
//! **Invariant:** nothing here was removed in RabbitMQ 4.x, nothing needs more than 3.10.

use domain::ids::AccountId;
use domain::wire;
use serde_json::{Map, Value, json};

/// The virtual host of a gateway, unless configuration names another.
pub const VHOST: &str = "lienthong";
/// Exchange to the parked queue; also the dead-letter exchange of all others.
pub const PARK_EXCHANGE: &str = "park";
/// What waits for a person.
pub const PARKED_QUEUE: &str = "parked";
/// Urgent submissions of all agencies: they overtake everything else.
pub const URGENT_QUEUE: &str = "intake.urgent";
/// Confirmations of all agencies.
pub const CONFIRM_QUEUE: &str = "intake.confirm";
/// Version of the published form.
const FORMAT: i64 = 1;
/// Stands for the account in the published form.
const ACCOUNT_PLACE: &str = "{account}";
/// Stands for the epoch in the published form.
const EPOCH_PLACE: &str = "{epoch}";
/// What the names of queues begin with that mark an epoch.
const EPOCH_PREFIX: &str = "epoch.";

/// How much each queue may hold, and how often a message may come back to it before it is parked.
///
/// A message returns when its reader gives it back or goes away with it. RabbitMQ 4 would park after 20 returns if
/// nothing were said; that many restarts of an addressee's machine are no fault of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one account's intake.
    pub intake_bytes_max: u64,
    /// Bytes in the urgent intake.
    pub urgent_bytes_max: u64,
    /// Bytes in the intake of confirmations.
    pub confirm_bytes_max: u64,
    /// Bytes in one account's inbox; the window of dispatches must fit in.
    pub inbox_bytes_max: u64,
    /// Bytes parked. When full, parking answers *not now* and the message stays where it was.
    pub parked_bytes_max: u64,
    /// Returns to an intake. Far above what an outage of a day causes: the gateway itself parks what crashes it.
    pub intake_returns_max: u32,
    /// Returns to an inbox. Stops software that gives a message back in a tight loop.
    pub inbox_returns_max: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        const MIB: u64 = 1024 * 1024;
        Limits {
            intake_bytes_max: 64 * MIB,
            urgent_bytes_max: 256 * MIB,
            confirm_bytes_max: 64 * MIB,
            inbox_bytes_max: 128 * MIB,
            parked_bytes_max: 1024 * MIB,
            intake_returns_max: 100_000,
            inbox_returns_max: 1_000,
        }
    }
}

/// An exchange; durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: &'static str,
    /// `topic`, `direct` or `fanout`.
    pub kind: &'static str,
}

/// A queue; durable, quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its `x-` arguments.
    pub arguments: Map<String, Value>,
}

/// What an exchange passes to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The exchange.
    pub exchange: &'static str,
    /// Routing key, or a pattern of one for a topic exchange.
    pub key: String,
    /// The queue.
    pub queue: String,
}

/// What a user may do, as regular expressions over names of exchanges and queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// What it may declare and delete.
    pub configure: String,
    /// What it may publish to.
    pub write: String,
    /// What it may read.
    pub read: String,
}

/// Which routing keys a user may publish under at a topic exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPermission {
    /// The exchange.
    pub exchange: &'static str,
    /// Regular expression over routing keys.
    pub write: String,
    /// Regular expression over binding keys; agencies bind nothing.
    pub read: String,
}

/// Queues with what feeds them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// The queues.
    pub queues: Vec<Queue>,
    /// Their bindings.
    pub bindings: Vec<Binding>,
}

/// The exchanges of a gateway.
pub fn exchanges() -> [Exchange; 3] {
    [
        Exchange {
            name: wire::SUBMIT_EXCHANGE,
            kind: "topic",
        },
        Exchange {
            name: wire::DELIVER_EXCHANGE,
            kind: "direct",
        },
        Exchange {
            name: PARK_EXCHANGE,
            kind: "fanout",
        },
    ]
}

/// The names of the queues that all accounts share, and without which everybody waits.
pub fn shared_queues() -> Vec<String> {
    let queues = common(&Limits::default()).queues.into_iter();
    queues.map(|queue| queue.name).collect()
}

/// The queues that exist once a gateway.
pub fn common(limits: &Limits) -> Part {
    let queues = vec![
        fed_queue(
            URGENT_QUEUE.to_owned(),
            limits.urgent_bytes_max,
            limits.intake_returns_max,
        ),
        fed_queue(
            CONFIRM_QUEUE.to_owned(),
            limits.confirm_bytes_max,
            limits.intake_returns_max,
        ),
        Queue {
            name: PARKED_QUEUE.to_owned(),
            arguments: bounded(limits.parked_bytes_max),
        },
    ];
    let bind = |exchange, key: &str, queue: &str| Binding {
        exchange,
        key: key.to_owned(),
        queue: queue.to_owned(),
    };
    let bindings = vec![
        bind(wire::SUBMIT_EXCHANGE, "urgent.*", URGENT_QUEUE),
        bind(wire::SUBMIT_EXCHANGE, "confirm.*", CONFIRM_QUEUE),
        bind(PARK_EXCHANGE, "", PARKED_QUEUE),
    ];
    Part { queues, bindings }
}

/// The queues of one account.
pub fn of_account(account: &AccountId, limits: &Limits) -> Part {
    of_name(account.as_str(), limits)
}

/// The queue that takes an account's submissions without urgency. Internal: agencies know the routing key only.
pub fn intake_queue(account: &AccountId) -> String {
    intake_name(account.as_str())
}

/// The epoch that a queue of this name marks.
pub(crate) fn epoch_of(queue: &str) -> Option<&str> {
    queue.strip_prefix(EPOCH_PREFIX)
}

/// The queue whose being there says that the broker kept its disk since this epoch began. Nothing is published to it.
pub fn epoch_queue(epoch: &str) -> Queue {
    let mut arguments = quorum();
    arguments.insert("x-max-length".to_owned(), json!(1));
    Queue {
        name: format!("{EPOCH_PREFIX}{epoch}"),
        arguments,
    }
}

/// What the gateway's own user may do: publish deliveries and what is to be parked, read intakes and what is parked.
pub fn gateway_permission() -> Permission {
    Permission {
        configure: "^$".to_owned(),
        write: format!("^({}|{PARK_EXCHANGE})$", wire::DELIVER_EXCHANGE),
        read: format!("^(intake\\..+|{PARKED_QUEUE})$"),
    }
}

/// What an agency's user may do.
pub fn account_permission(account: &AccountId) -> Permission {
    permission_of(account.as_str())
}

/// Under which keys an agency's user may publish: those that end in its own account.
pub fn account_topic_permission(account: &AccountId) -> TopicPermission {
    topic_permission_of(account.as_str())
}

/// The text of `schemas/topology.json` with these limits; `gateway topology` prints it.
pub fn published(limits: &Limits) -> String {
    let account = of_name(ACCOUNT_PLACE, limits);
    let common = common(limits);
    let value = json!({
        "format": FORMAT,
        "vhost": VHOST,
        "exchanges": exchanges().iter().map(exchange_row).collect::<Vec<_>>(),
        "queues": common.queues.iter().map(queue_row).collect::<Vec<_>>(),
        "bindings": common.bindings.iter().map(binding_row).collect::<Vec<_>>(),
        "epoch": queue_row(&epoch_queue(EPOCH_PLACE)),
        "gateway": { "permission": permission_row(&gateway_permission()) },
        "account": {
            "queues": account.queues.iter().map(queue_row).collect::<Vec<_>>(),
            "bindings": account.bindings.iter().map(binding_row).collect::<Vec<_>>(),
            "permission": permission_row(&permission_of(ACCOUNT_PLACE)),
            "topic-permission": topic_permission_row(&topic_permission_of(ACCOUNT_PLACE)),
        },
    });
    format!("{value:#}\n")
}

/// An exchange as definitions write it.
pub(crate) fn exchange_row(exchange: &Exchange) -> Value {
    json!({
        "name": exchange.name, "type": exchange.kind, "durable": true,
        "auto_delete": false, "internal": false, "arguments": {},
    })
}

/// A queue as definitions write it.
pub(crate) fn queue_row(queue: &Queue) -> Value {
    json!({ "name": queue.name, "durable": true, "auto_delete": false, "arguments": queue.arguments })
}

/// A binding as definitions write it.
pub(crate) fn binding_row(binding: &Binding) -> Value {
    json!({
        "source": binding.exchange, "destination": binding.queue, "destination_type": "queue",
        "routing_key": binding.key, "arguments": {},
    })
}

/// A permission as definitions write it, without user and virtual host.
pub(crate) fn permission_row(permission: &Permission) -> Value {
    json!({ "configure": permission.configure, "write": permission.write, "read": permission.read })
}

/// A topic permission as definitions write it, without user and virtual host.
pub(crate) fn topic_permission_row(permission: &TopicPermission) -> Value {
    json!({ "exchange": permission.exchange, "write": permission.write, "read": permission.read })
}

fn of_name(account: &str, limits: &Limits) -> Part {
    let (intake, inbox) = (intake_name(account), format!("inbox.{account}"));
    let queues = vec![
        fed_queue(intake.clone(), limits.intake_bytes_max, limits.intake_returns_max),
        fed_queue(inbox.clone(), limits.inbox_bytes_max, limits.inbox_returns_max),
    ];
    let bindings = vec![
        Binding {
            exchange: wire::SUBMIT_EXCHANGE,
            key: format!("normal.{account}"),
            queue: intake,
        },
        Binding {
            exchange: wire::DELIVER_EXCHANGE,
            key: account.to_owned(),
            queue: inbox,
        },
    ];
    Part { queues, bindings }
}

fn intake_name(account: &str) -> String {
    format!("intake.{account}")
}

fn permission_of(account: &str) -> Permission {
    Permission {
        configure: "^$".to_owned(),
        write: format!("^{}$", wire::SUBMIT_EXCHANGE),
        read: format!("^inbox\\.{account}$"),
    }
}

fn topic_permission_of(account: &str) -> TopicPermission {
    TopicPermission {
        exchange: wire::SUBMIT_EXCHANGE,
        write: format!("^(normal|urgent|confirm)\\.{account}$"),
        read: "^$".to_owned(),
    }
}

fn quorum() -> Map<String, Value> {
    let mut arguments = Map::new();
    arguments.insert("x-queue-type".to_owned(), json!("quorum"));
    arguments.insert("x-overflow".to_owned(), json!("reject-publish"));
    arguments
}

fn bounded(bytes_max: u64) -> Map<String, Value> {
    let mut arguments = quorum();
    arguments.insert("x-max-length-bytes".to_owned(), json!(bytes_max));
    arguments
}

/// A queue that people publish to: what returns too often goes to the parked queue, and leaves only once it is there
/// (`at-least-once`, which needs `reject-publish`).
fn fed_queue(name: String, bytes_max: u64, returns_max: u32) -> Queue {
    let mut arguments = bounded(bytes_max);
    arguments.insert("x-delivery-limit".to_owned(), json!(returns_max));
    arguments.insert("x-dead-letter-exchange".to_owned(), json!(PARK_EXCHANGE));
    arguments.insert("x-dead-letter-strategy".to_owned(), json!("at-least-once"));
    Queue { name, arguments }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        AccountId::parse("a17-1").expect("an account id")
    }

    #[test]
    fn the_published_topology_is_the_one_declared() {
        let file = include_str!("../../../../schemas/topology.json");
        assert_eq!(
            published(&Limits::default()),
            file,
            "run `gateway topology > schemas/topology.json`"
        );
    }

    #[test]
    fn every_queue_is_a_bounded_quorum_queue_that_refuses_when_full() {
        let limits = Limits::default();
        let queues = common(&limits)
            .queues
            .into_iter()
            .chain(of_account(&account(), &limits).queues);
        for queue in queues.chain([epoch_queue("1")]) {
            assert_eq!(queue.arguments["x-queue-type"], "quorum", "{}", queue.name);
            assert_eq!(queue.arguments["x-overflow"], "reject-publish", "{}", queue.name);
            let bounded = ["x-max-length-bytes", "x-max-length"]
                .iter()
                .any(|it| queue.arguments.contains_key(*it));
            assert!(bounded, "{}", queue.name);
        }
    }

    #[test]
    fn every_bound_queue_exists_and_every_queue_of_an_account_carries_its_name() {
        let limits = Limits::default();
        let mut part = common(&limits);
        let own = of_account(&account(), &limits);
        assert!(own.queues.iter().all(|queue| queue.name.ends_with(".a17-1")));
        part.queues.extend(own.queues);
        part.bindings.extend(own.bindings);
        for binding in &part.bindings {
            assert!(
                part.queues.iter().any(|queue| queue.name == binding.queue),
                "{binding:?}"
            );
            assert!(
                exchanges()
                    .iter()
                    .any(|exchange| exchange.name == binding.exchange),
                "{binding:?}"
            );
        }
    }

    #[test]
    fn names_agree_with_the_wire_contract() {
        let (account, limits) = (account(), Limits::default());
        let own = of_account(&account, &limits);
        assert_eq!(own.bindings[0].key, wire::normal_key(&account));
        assert_eq!(own.queues[0].name, intake_queue(&account));
        assert_eq!(own.queues[1].name, wire::inbox_queue(&account));
        let keys = account_topic_permission(&account).write;
        for key in [
            wire::normal_key(&account),
            wire::urgent_key(&account),
            wire::confirm_key(&account),
        ] {
            let (class, name) = key.split_once('.').expect("a key has two parts");
            assert!(
                keys.contains(class) && keys.ends_with(&format!("\\.{name}$")),
                "{key}"
            );
        }
    }

    #[test]
    fn nobody_may_configure() {
        assert_eq!(gateway_permission().configure, "^$");
        assert_eq!(account_permission(&account()).configure, "^$");
    }
}
