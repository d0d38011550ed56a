//! What is being done now: a spinner on a terminal, one line a step elsewhere. Vietnamese first, English second.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Tells steps on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn begin() -> Progress {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4}  {msg}");
        bar.set_style(style.expect("a template that is tried at every run"));
        if is_terminal {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Progress { bar, is_terminal }
    }

    /// A step begins.
    #[expect(clippy::print_stderr, reason = "a command")]
    pub(crate) fn step(&self, vi: &str, en: &str) {
        let text = format!("{vi} / {en}");
        if self.is_terminal {
            self.bar.set_message(text);
        } else {
            eprintln!("{:>6.1} s  {text}", self.bar.elapsed().as_secs_f64());
        }
    }

    /// Something is wrong with what we were told to do.
    #[expect(clippy::print_stderr, reason = "a command")]
    pub(crate) fn complain(&self, line: &str) {
        self.bar.suspend(|| eprintln!("demonstration: {line}"));
    }

    /// No more steps.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
