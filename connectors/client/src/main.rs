//! The `connector` command: sends, receives, reports and watches for agencies without software of their own, and for
//! whoever tries things out.
//!
//! Exit status: 0 accepted or done; 1 refused; 2 not now (held, or no answer in time; it stays in the outbox); 3 a fault
//! of configuration, folder or input.

mod command;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use connector::Config;
use connector::text::Text;
use tracing_subscriber::EnvFilter;

use command::{CommandFault, Ending, complain};

/// Exit status of a fault of configuration, folder or input.
const FAULT: u8 = 3;

#[derive(Debug, Parser)]
#[command(
    name = "connector",
    version,
    about = Text::HelpAbout.with(&[]),
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[arg(help = Text::HelpConfig.with(&[]), long, default_value = "connector.toml", global = true)]
    config: PathBuf,
    #[arg(help = Text::HelpLog.with(&[]), long, default_value = "warn", global = true)]
    log: String,
    #[arg(help = Text::HelpHelp.with(&[]), long, short, action = ArgAction::Help, global = true)]
    help: Option<bool>,
    #[arg(help = Text::HelpVersion.with(&[]), long, short = 'V', action = ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(about = Text::HelpSend.with(&[]))]
    Send(Box<command::send::Arguments>),
    #[command(about = Text::HelpReceive.with(&[]))]
    Receive(command::receive::Arguments),
    #[command(about = Text::HelpStatus.with(&[]))]
    Status(command::status::Arguments),
    #[command(about = Text::HelpWatch.with(&[]))]
    Watch(command::watch::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match read_line() {
        Ok(arguments) => arguments,
        // Help and version were asked for.
        Err(shown) if !shown.use_stderr() => shown.exit(),
        Err(fault) => {
            complain(&format!("{}\n{}", Text::FaultLine.with(&[]), fault.render()));
            return ExitCode::from(FAULT);
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter(&arguments.log))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("no other provider is installed before");
    match run(arguments).await {
        Ok(ending) => ending.exit_code(),
        Err(fault) => {
            complain(&fault.complaint());
            ExitCode::from(FAULT)
        }
    }
}

/// What is logged. The AMQP library tells returned messages with their bodies; how the connector stands with its broker
/// is told by the commands in words.
fn filter(asked: &str) -> EnvFilter {
    let filter = EnvFilter::try_new(asked).unwrap_or_else(|_| EnvFilter::new("warn"));
    ["lapin=off", "connector::standing=off"]
        .into_iter()
        .fold(filter, |filter, part| {
            filter.add_directive(part.parse().expect("a directive"))
        })
}

fn read_line() -> Result<Arguments, clap::Error> {
    Arguments::from_arg_matches(&line().try_get_matches()?)
}

/// The command line, with the headings of its help in both languages too.
fn line() -> clap::Command {
    // Headings live as long as the command line, which is made once in a process.
    let heading = |text: Text| -> &'static str { text.with(&[]).leak() };
    let [usage, arguments, options] =
        [Text::HeadingUsage, Text::HeadingArguments, Text::HeadingOptions].map(heading);
    let template = format!("{{about}}\n\n{usage}: {{usage}}\n\n{{all-args}}\n");
    let worded = move |command: clap::Command| {
        command.help_template(template.clone()).mut_args(|argument| {
            let heading = if argument.is_positional() {
                arguments
            } else {
                options
            };
            let takes_value = argument.get_action().takes_values();
            // The texts name the defaults.
            argument.help_heading(heading).hide_default_value(takes_value)
        })
    };
    worded(Arguments::command())
        .subcommand_help_heading(heading(Text::HeadingCommands))
        .mut_subcommands(worded)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever stands between two headings of clap's own would be in one language only.
    #[test]
    fn all_help_is_in_both_languages() {
        let mut line = line();
        line.build();
        let mut commands: Vec<_> = line.get_subcommands_mut().collect();
        assert_eq!(commands.len(), 4);
        for command in &mut commands {
            let about = command
                .get_about()
                .expect("every command says what it does")
                .to_string();
            assert!(about.contains(" / "), "{about}");
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains(" / "), "{}: {help}", argument.get_id());
            }
            let shown = command.render_help().to_string();
            for own in ["\nUsage:", "\nOptions:", "\nArguments:", "[default", "Print "] {
                assert!(!shown.contains(own), "{shown}");
            }
        }
    }

    #[test]
    fn the_amqp_library_is_not_heard_because_it_tells_contents() {
        for asked in ["trace", "no such filter =", "lapin=trace"] {
            let told = filter(asked).to_string();
            assert!(told.contains("lapin=off"), "{told}");
        }
    }
}
