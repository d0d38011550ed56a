//! The `connector` command: sends, receives, reports and watches for agencies without software of their own, and for
//! whoever tries things out.
//!
//! Exit status: 0 accepted or done; 1 refused; 2 not now (held, or no answer in time; it stays in the outbox); 3 a fault
//! of configuration, folder or input.

mod command;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use connector::Config;
use tracing_subscriber::EnvFilter;

use command::{CommandFault, Ending};

/// Exchanges documents through the gateway / Gửi nhận văn bản điện tử qua trục liên thông
#[derive(Debug, Parser)]
#[command(name = "connector", version)]
struct Arguments {
    /// Configuration / Tệp cấu hình
    #[arg(long, default_value = "connector.toml", global = true)]
    config: PathBuf,
    /// What is logged to standard error, for instance `info` or `connector=debug`
    #[arg(long, default_value = "warn", global = true)]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends packets, or builds one and sends it / Gửi văn bản
    Send(Box<command::send::Arguments>),
    /// Writes received documents to a folder / Nhận văn bản
    Receive(command::receive::Arguments),
    /// Reports a status of a received document / Gửi trạng thái xử lý
    Status(command::status::Arguments),
    /// Keeps outbox and inbox going and tells what happens / Chạy thường trực
    Watch(command::watch::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_new(&arguments.log).unwrap_or_else(|_| EnvFilter::new("warn"));
    // The AMQP library tells returned messages with their bodies.
    let filter = filter.add_directive("lapin=off".parse().expect("a directive"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("no other provider is installed before");
    match run(arguments).await {
        Ok(ending) => ending.exit_code(),
        Err(fault) => {
            command::complain(&fault);
            ExitCode::from(3)
        }
    }
}

async fn run(arguments: Arguments) -> Result<Ending, CommandFault> {
    let config = Config::load(&arguments.config)?;
    match arguments.command {
        Command::Send(send) => command::send::run(config, *send).await,
        Command::Receive(receive) => command::receive::run(config, receive).await,
        Command::Status(status) => command::status::run(config, status).await,
        Command::Watch(watch) => command::watch::run(config, watch).await,
    }
}
