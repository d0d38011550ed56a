//! The processes of a private node and the files they read.
//!
//! Debian's `/usr/sbin/rabbitmq-server` refuses every user but root and rabbitmq; the script it wraps, under
//! `/usr/lib/rabbitmq/bin`, does not, and it takes every path and port from the environment.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Command, Stdio},
};

use super::Broker;
use crate::offspring::Offspring;

/// The script itself; Debian's rabbitmq-server package puts it there.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// Offsets in the node's block of ports.
pub(super) const AMQP: u16 = 0;
pub(super) const MANAGEMENT: u16 = 1;
pub(super) const METRICS: u16 = 2;
const EPMD: u16 = 3;
const DISTRIBUTION: u16 = 4;

/// # Panics
/// When RabbitMQ is missing, naming the command that installs it.
pub(super) fn check_installed() {
    assert!(
        Path::new(SERVER).exists(),
        "RabbitMQ is not installed ({SERVER} is missing): run ops/setup, which installs it from Debian's packages"
    );
}

/// 128 random bits as hexadecimal digits.
pub(super) fn random_password() -> String {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the node's configuration. Readable by its owner only: it holds the administrator's password.
pub(super) fn write_configuration(broker: &Broker) {
    let folder = &broker.folder;
    for name in ["home", "mnesia", "log", "gen", "schema"] {
        std::fs::create_dir_all(folder.join(name)).expect("the broker's folder can be written");
    }
    let configuration = configuration(broker);
    let files: [(&str, &str); 4] = [
        ("rabbitmq.conf", &configuration),
        ("advanced.config", "[].\n"),
        ("enabled_plugins", "[rabbitmq_management,rabbitmq_prometheus].\n"),
        ("rabbitmq-env.conf", ""),
    ];
    for (name, text) in files {
        let mut file = File::options()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(folder.join(name))
            .expect("the broker's folder can be written");
        file.write_all(text.as_bytes())
            .expect("the broker's folder can be written");
    }
}

/// A small write-ahead log and a generous watermark: with the defaults (512 MiB) publishers that were blocked by the
/// memory alarm never let the log reach the size at which its memory is given back, and the node stays blocked.
fn configuration(broker: &Broker) -> String {
    format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {management}\n\
         prometheus.tcp.ip = 127.0.0.1\n\
         prometheus.tcp.port = {metrics}\n\
         default_user = {user}\n\
         default_pass = {password}\n\
         default_user_tags.administrator = true\n\
         raft.wal_max_size_bytes = 67108864\n\
         vm_memory_high_watermark.absolute = 4GB\n\
         max_message_size = 33554432\n\
         log.file.level = info\n",
        amqp = broker.ports.port(AMQP),
        management = broker.ports.port(MANAGEMENT),
        metrics = broker.ports.port(METRICS),
        user = broker.admin.user,
        password = broker.admin.password,
    )
}

/// An Erlang port mapper of the node's own, in the foreground.
pub(super) fn start_epmd(broker: &Broker) -> Offspring {
    let log = log_file(&broker.folder, "epmd.out");
    Offspring::start(
        "epmd",
        Command::new("epmd")
            .args([
                "-port",
                &broker.ports.port(EPMD).to_string(),
                "-address",
                "127.0.0.1",
            ])
            .stdout(Stdio::null())
            .stderr(log),
    )
}

/// The node. `RUNNING_UNDER_SYSTEMD` makes every script on the way replace itself by the next one, so that the
/// process we start is the Erlang machine: signals reach it and waiting for it is exact.
pub(super) fn start_node(broker: &Broker) -> Offspring {
    let folder = &broker.folder;
    let log = log_file(folder, "boot.out");
    let errors = log.try_clone().expect("a file can be shared");
    let distribution = broker.ports.port(DISTRIBUTION).to_string();
    let mut command = Command::new(SERVER);
    command
        .current_dir(folder)
        .env("HOME", folder.join("home"))
        .env("LANG", "C.UTF-8")
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .env_remove("NOTIFY_SOCKET")
        .env("RABBITMQ_NODENAME", &broker.node_name)
        .env("RABBITMQ_CONF_ENV_FILE", folder.join("rabbitmq-env.conf"))
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", folder.join("advanced.config"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_PID_FILE", folder.join("node.pid"))
        .env("RABBITMQ_GENERATED_CONFIG_DIR", folder.join("gen"))
        .env("RABBITMQ_SCHEMA_DIR", folder.join("schema"))
        .env("RABBITMQ_DIST_PORT", &distribution)
        .env("ERL_EPMD_PORT", broker.ports.port(EPMD).to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        // No busy waiting of idle schedulers: tests share two cores with the node.
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
        )
        .stdout(log)
        .stderr(errors);
    Offspring::start("the broker", &mut command)
}

/// What a lost disk takes along. Configuration, logs and the cookie stay.
pub(super) fn erase_data(folder: &Path) {
    let data = folder.join("mnesia");
    std::fs::remove_dir_all(&data).expect("the node is gone and its data can be deleted");
    std::fs::create_dir(&data).expect("the broker's folder can be written");
}

fn log_file(folder: &Path, name: &str) -> File {
    let path = folder.join("log").join(name);
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .expect("the broker's folder can be written")
}
