//! The one binary. Parses the command line, installs the cryptography of TLS once, and hands over to the library.

use std::process::ExitCode;

use clap::Parser;
use gateway::command::{Cli, run};
use tikv_jemallocator::Jemalloc;

/// Packets are allocated on one thread and freed on another, by the thousand: glibc's arenas lock and fragment on it.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // aws-lc-rs is the only provider, for the broker and for HTTP alike.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        unreachable!("nobody installs a provider before main does");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime
        .expect("a process that cannot start threads can do nothing")
        .block_on(run(cli))
}
