//! Definitions: what is wanted at the broker, row by row, as `POST /api/definitions` takes it; and which of the rows
//! stand already.

use serde_json::{Map, Value, json};

use super::{PasswordHash, Report};
use crate::broker::topology::{self, Part, Permission, TopicPermission};

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Exchanges,
    Queues,
    Bindings,
    Users,
    Permissions,
    TopicPermissions,
}

impl Section {
    pub(crate) const ALL: [Section; 6] = [
        Section::Exchanges,
        Section::Queues,
        Section::Bindings,
        Section::Users,
        Section::Permissions,
        Section::TopicPermissions,
    ];

    /// Its name in definitions.
    fn word(self) -> &'static str {
        match self {
            Section::Exchanges => "exchanges",
            Section::Queues => "queues",
            Section::Bindings => "bindings",
            Section::Users => "users",
            Section::Permissions => "permissions",
            Section::TopicPermissions => "topic_permissions",
        }
    }

    /// Where its rows are listed.
    pub(crate) fn path(self, vhost: &str) -> Vec<&str> {
        match self {
            Section::Exchanges => vec!["exchanges", vhost],
            Section::Queues => vec!["queues", vhost],
            Section::Bindings => vec!["bindings", vhost],
            Section::Users => vec!["users"],
            Section::Permissions => vec!["vhosts", vhost, "permissions"],
            Section::TopicPermissions => vec!["vhosts", vhost, "topic-permissions"],
        }
    }

    /// What of its rows is asked for: statistics of thousands of queues are slow to collect.
    pub(crate) fn columns(self) -> &'static str {
        match self {
            Section::Exchanges => "columns=name,type",
            Section::Queues => "columns=name,arguments",
            Section::Bindings => "columns=source,destination,routing_key",
            Section::Users => "columns=name,password_hash",
            Section::Permissions => "columns=user,configure,write,read",
            Section::TopicPermissions => "columns=user,exchange,write,read",
        }
    }

    /// The fields that name a row.
    fn names(self) -> &'static [&'static str] {
        match self {
            Section::Exchanges | Section::Queues | Section::Users => &["name"],
            Section::Bindings => &["source", "destination", "routing_key"],
            Section::Permissions => &["user"],
            Section::TopicPermissions => &["user", "exchange"],
        }
    }

    /// The fields that must be as wanted.
    fn values(self) -> &'static [&'static str] {
        match self {
            Section::Exchanges => &["type"],
            Section::Queues => &["arguments"],
            Section::Bindings => &[],
            Section::Users => &["password_hash"],
            Section::Permissions => &["configure", "write", "read"],
            Section::TopicPermissions => &["write", "read"],
        }
    }

    /// Whether an import changes a row that stands otherwise; a queue or an exchange it leaves as it is.
    fn is_changed_by_import(self) -> bool {
        match self {
            Section::Users | Section::Permissions | Section::TopicPermissions => true,
            Section::Exchanges | Section::Queues | Section::Bindings => false,
        }
    }

    fn key(self, row: &Value) -> Vec<String> {
        self.names()
            .iter()
            .map(|name| row[name].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn is_as_wanted(self, wanted: &Value, standing: &Value) -> bool {
        self.values().iter().all(|name| wanted[name] == standing[name])
    }
}

/// Rows of one virtual host.
#[derive(Debug, Clone)]
pub(crate) struct Definitions {
    vhost: String,
    rows: [Vec<Value>; Section::ALL.len()],
}

impl Definitions {
    pub(crate) fn new(vhost: &str) -> Definitions {
        Definitions {
            vhost: vhost.to_owned(),
            rows: Default::default(),
        }
    }

    pub(crate) fn rows(&self, section: Section) -> &[Value] {
        &self.rows[section as usize]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.iter().all(Vec::is_empty)
    }

    /// Adds a row; all but users belong to the virtual host.
    pub(crate) fn push(&mut self, section: Section, mut row: Value) {
        if section != Section::Users {
            row["vhost"] = json!(self.vhost);
        }
        self.rows[section as usize].push(row);
    }

    pub(crate) fn push_part(&mut self, part: &Part) {
        for queue in &part.queues {
            self.push(Section::Queues, topology::queue_row(queue));
        }
        for binding in &part.bindings {
            self.push(Section::Bindings, topology::binding_row(binding));
        }
    }

    /// A user without tags: AMQP only, no management.
    pub(crate) fn push_user(&mut self, name: &str, password: &PasswordHash) {
        let row = json!({
            "name": name, "password_hash": password.as_str(),
            "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": "",
        });
        self.push(Section::Users, row);
    }

    pub(crate) fn push_permission(&mut self, user: &str, permission: &Permission) {
        let mut row = topology::permission_row(permission);
        row["user"] = json!(user);
        self.push(Section::Permissions, row);
    }

    pub(crate) fn push_topic_permission(&mut self, user: &str, permission: &TopicPermission) {
        let mut row = topology::topic_permission_row(permission);
        row["user"] = json!(user);
        self.push(Section::TopicPermissions, row);
    }

    /// Takes the rows of `wanted` that do not stand, and reports on all of them.
    pub(crate) fn take_missing(
        &mut self,
        section: Section,
        wanted: &Definitions,
        standing: &[Value],
        report: &mut Report,
    ) {
        let standing: std::collections::HashMap<_, _> =
            standing.iter().map(|row| (section.key(row), row)).collect();
        for row in wanted.rows(section) {
            let key = section.key(row);
            let named = format!("{} {}", section.word(), key.join(" "));
            match standing.get(&key) {
                Some(found) if section.is_as_wanted(row, found) => report.kept += 1,
                Some(_) if !section.is_changed_by_import() => report.differing.push(named),
                Some(_) | None => {
                    report.made.push(named);
                    self.rows[section as usize].push(row.clone());
                }
            }
        }
    }

    pub(crate) fn into_json(self) -> Value {
        let rows = Section::ALL.into_iter().zip(self.rows);
        Value::Object(
            rows.map(|(section, rows)| (section.word().to_owned(), rows.into()))
                .collect::<Map<_, _>>(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::topology::Limits;
    use domain::ids::AccountId;

    fn wanted() -> Definitions {
        let account = AccountId::parse("a17-1").expect("an account id");
        let mut wanted = Definitions::new("v");
        wanted.push_part(&topology::of_account(&account, &Limits::default()));
        wanted.push_user("a17-1", &PasswordHash::none());
        wanted.push_permission("a17-1", &topology::account_permission(&account));
        wanted.push_topic_permission("a17-1", &topology::account_topic_permission(&account));
        wanted
    }

    fn missing(standing: impl Fn(Section) -> Vec<Value>) -> (Definitions, Report) {
        let (wanted, mut missing, mut report) = (wanted(), Definitions::new("v"), Report::default());
        for section in Section::ALL {
            missing.take_missing(section, &wanted, &standing(section), &mut report);
        }
        (missing, report)
    }

    #[test]
    fn all_is_made_at_a_broker_that_has_nothing() {
        let (missing, report) = missing(|_| Vec::new());
        assert_eq!((report.made.len(), report.kept), (7, 0));
        let json = missing.into_json();
        assert_eq!(json["queues"][1]["name"], "inbox.a17-1");
        assert_eq!(json["queues"][1]["vhost"], "v");
        assert_eq!(json["users"][0]["tags"], "");
        assert_eq!(json["users"][0].get("vhost"), None);
        assert_eq!(json["topic_permissions"][0]["exchange"], "submit");
    }

    #[test]
    fn nothing_is_made_twice() {
        let (missing, report) = missing(|section| wanted().rows(section).to_vec());
        assert!(missing.is_empty());
        assert_eq!((report.made.len(), report.kept), (0, 7));
    }

    #[test]
    fn a_changed_permission_is_set_right_and_a_changed_queue_only_reported() {
        let (missing, report) = missing(|section| {
            let mut rows = wanted().rows(section).to_vec();
            match section {
                Section::Queues => rows[0]["arguments"]["x-max-length-bytes"] = json!(1),
                Section::Permissions => rows[0]["read"] = json!(".*"),
                Section::Exchanges | Section::Bindings | Section::Users | Section::TopicPermissions => {}
            }
            rows
        });
        assert_eq!(report.differing, ["queues intake.a17-1"]);
        assert_eq!(report.made, ["permissions a17-1"]);
        assert_eq!(missing.rows(Section::Permissions).len(), 1);
        assert!(missing.rows(Section::Queues).is_empty());
    }
}
