//! A connector that the broker turns away, or that finds none: it says so once with what to do, once that it is over, and
//! what was handed in meanwhile goes out.
//!
//! It is the command that agencies run, `connector watch`, in its words for people.

use std::path::PathBuf;

use connector::spool::Spool;
use domain::{dispatch::Rank, ids::SubmissionId};
use harness::{
    process::{Process, Program},
    province::{Plan, Province},
    wait_until,
};

use super::{PATIENCE, place};

/// Whose connector is turned away.
const TURNED_AWAY: usize = 1;
/// Attempts in vain before it is counted what was said.
const ATTEMPTS: usize = 6;

const REFUSED: &str = "Broker không cho tài khoản";
const UNREACHABLE: &str = "Không tới được broker";
const WORKING: &str = "gửi nhận bình thường";
/// What the log says of each attempt that was not news.
const ATTEMPT: &str = "a new one follows";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_says_once_that_it_is_turned_away_and_once_that_it_is_let_in() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(1).exclusive()).await;
    let letter = province
        .agency(TURNED_AWAY)
        .draft()
        .to(province.agency(0))
        .letter();
    province.agency_mut(TURNED_AWAY).close().await;

    let mut watch = Watch::start(&province, Some("not-the-password"));
    watch.attempts("the broker refuses a wrong password").await;
    assert_eq!((watch.count(REFUSED), watch.count(WORKING)), (1, 0));
    watch.end().await;

    let mut watch = Watch::start(&province, None);
    watch.says(WORKING, 1).await;
    let code = province.agency(TURNED_AWAY).code().to_owned();
    province.gateway.command(&["agency", "suspend", &code]).await;
    watch.says(REFUSED, 1).await;
    watch.attempts("the suspended account stays out").await;
    assert_eq!((watch.count(REFUSED), watch.count(WORKING)), (1, 1));
    // Handed in while nothing can be sent.
    let spool =
        Spool::open(&province.agency(TURNED_AWAY).folder().join("data"), PATIENCE).expect("the spool");
    let submission = SubmissionId::parse("01-turned-away").expect("an id");
    spool
        .put(&submission, Rank::Normal, letter.bytes())
        .expect("handed in");
    province.gateway.command(&["agency", "resume", &code]).await;
    watch.says(WORKING, 2).await;
    wait_until("what was handed in is answered", PATIENCE, async || {
        spool.take_answer(&submission).expect("the spool").is_some()
    })
    .await;

    province.broker_mut().stop().await;
    watch.says(UNREACHABLE, 1).await;
    watch.attempts("the broker is away").await;
    assert_eq!(watch.count(UNREACHABLE), 1);
    province.broker_mut().start_again().await;
    watch.says(WORKING, 3).await;
    assert_eq!(watch.count(REFUSED), 1, "{}", watch.process.log_text());
    watch.end().await;
    province.end().await;
}

/// `connector watch`, as a clerk sees it.
struct Watch {
    process: Process,
}

impl Watch {
    /// Starts it, with the password of the agency or with another one.
    fn start(province: &Province, password: Option<&str>) -> Watch {
        let agency = province.agency(TURNED_AWAY);
        let (mut config, mut log) = (agency.config(), agency.folder().join("watch.log"));
        if let Some(password) = password {
            config = wrong(&config, password);
            log.set_extension("wrong.log");
        }
        let config = config.to_str().expect("a UTF-8 path");
        let arguments = ["--config", config, "--log", "connector=debug", "watch"];
        Watch {
            process: Process::start(Program::Connector, &arguments, &[], &log),
        }
    }

    fn count(&self, text: &str) -> usize {
        self.process.log_text().matches(text).count()
    }

    async fn says(&self, text: &str, count: usize) {
        wait_until(text, PATIENCE, async || self.count(text) >= count).await;
        assert_eq!(self.count(text), count, "{}", self.process.log_text());
    }

    async fn attempts(&self, what: &str) {
        let before = self.count(ATTEMPT);
        wait_until(what, PATIENCE, async || self.count(ATTEMPT) >= before + ATTEMPTS).await;
    }

    async fn end(&mut self) {
        assert!(self.process.terminate(PATIENCE).await.success());
    }
}

/// The agency's configuration with another password.
fn wrong(config: &PathBuf, password: &str) -> PathBuf {
    let right = std::fs::read_to_string(config).expect("the agency has a configuration");
    std::fs::write(config.with_file_name("wrong"), password).expect("the agency's folder can be written");
    let text = right.replace("password_file = \"password\"", "password_file = \"wrong\"");
    assert_ne!(right, text, "the configuration names the file of the password");
    let path = config.with_file_name("wrong.toml");
    std::fs::write(&path, text).expect("the agency's folder can be written");
    path
}
