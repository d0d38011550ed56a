//! Accounts at a broker: administration opens one, and the comparison of all accounts opens it at the same moment.

use domain::ids::AccountId;
use gateway::broker::topology::Limits;
use gateway::broker::{Access, GatewayUser, PasswordHash, ProvisionFault, Provisioner};
use harness::broker::Broker;
use secrecy::SecretString;

/// Rounds, so that the two meet.
const ROUNDS: usize = 12;
const ACCOUNTS: usize = 4;

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn provisioner(broker: &Broker) -> Provisioner {
    let gateway = GatewayUser {
        name: "gateway-of-accounts".to_owned(),
        password: PasswordHash::of(&secret("a password")),
    };
    let admin = (broker.admin().user.as_str(), secret(&broker.admin().password));
    Provisioner::new(
        &broker.management_uri(),
        admin,
        "accounts",
        gateway,
        Limits::default(),
    )
    .expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_two_open_at_the_same_moment_are_opened_for_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(folder.path()).await;
    let (one, other) = (provisioner(&broker), provisioner(&broker));
    one.set_up("epoch").await.expect("set up");
    for round in 0..ROUNDS {
        let access = |number: usize| Access {
            account: AccountId::parse(&format!("a{}-1", 100 + round * ACCOUNTS + number))
                .expect("an account"),
            password: PasswordHash::of(&secret("a password of one account")),
        };
        let accounts: Vec<Access> = (0..ACCOUNTS).map(access).collect();
        let (one, other) = tokio::join!(one.open_accounts(&accounts), other.open_accounts(&accounts));
        one.expect("opened");
        other.expect("opened");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_virtual_host_of_another_epoch_is_not_taken_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(folder.path()).await;
    let provisioner = provisioner(&broker);
    let known = |epochs: &[&str]| epochs.iter().map(ToString::to_string).collect::<Vec<_>>();
    provisioner.check_own(&[]).await.expect("nobody's yet");
    provisioner.set_up("one").await.expect("set up");
    provisioner
        .check_own(&known(&["later", "one"]))
        .await
        .expect("it is ours");
    let fault = provisioner
        .check_own(&known(&["other"]))
        .await
        .expect_err("it is another's");
    assert!(
        matches!(&fault, ProvisionFault::Foreign { vhost, epoch } if (vhost.as_str(), epoch.as_str()) == ("accounts", "one")),
        "{fault}"
    );
}
