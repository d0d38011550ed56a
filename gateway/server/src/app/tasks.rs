//! The tasks of a running gateway: every stage and every adapter that needs one.

use tokio::task::JoinSet;
use tracing::error;

use super::{Gateway, accounts, epoch, feeds, inboxes, rights};
use crate::stages::receive::receive;
use crate::stages::{dispatch, record, settle, sweep, tell};
use crate::telemetry::Metrics;

/// Starts them all. Each gives its name when it ends, which it does only when all end.
pub(super) fn start(gateway: Gateway) -> JoinSet<&'static str> {
    let Gateway {
        road,
        ends,
        broker,
        lanes,
        keeper,
        port,
        epochs,
        provision,
        metrics,
        inspectors,
        judged,
        certificate,
        ..
    } = gateway;
    let stage_ends = feeds::stage_ends();
    let mut tasks = JoinSet::new();
    tasks.spawn(named(&metrics, "broker", broker.clone().run()));
    tasks.spawn(named(
        &metrics,
        "pump",
        feeds::pump(lanes, stage_ends.inlets, feeds::Pump::new(&road, &broker)),
    ));
    let (urgent, normal) = (stage_ends.urgent, stage_ends.normal);
    tasks.spawn(named(
        &metrics,
        "receive",
        receive(road.clone(), inspectors.clone(), urgent, normal),
    ));
    tasks.spawn(named(
        &metrics,
        "record",
        record::record(road.clone(), inspectors.clone(), judged),
    ));
    tasks.spawn(named(&metrics, "tell", tell::tell(road.clone(), ends.owed)));
    tasks.spawn(named(
        &metrics,
        "dispatch",
        dispatch::dispatch(road.clone(), ends.news),
    ));
    tasks.spawn(named(
        &metrics,
        "settle",
        settle::settle(road.clone(), stage_ends.confirm),
    ));
    tasks.spawn(named(&metrics, "sweep", sweep::sweep(road.clone(), inspectors)));
    let watching = inboxes::watch(road.clone(), broker.clone(), provision.clone());
    tasks.spawn(named(&metrics, "inboxes", watching));
    let watching = rights::watch(road.clone(), broker.clone(), provision.clone());
    tasks.spawn(named(&metrics, "rights", watching));
    tasks.spawn(named(
        &metrics,
        "epoch",
        epoch::watch(road.clone(), broker.clone(), provision, epochs),
    ));
    tasks.spawn(named(&metrics, "accounts", accounts::watch(road, broker)));
    tasks.spawn(named(&metrics, "certificate", certificate.watch()));
    tasks.spawn(named(&metrics, "trust keeper", async move { keeper.run().await }));
    tasks.spawn(named(&metrics, "internal port", async move {
        if let Err(fault) = port.run().await {
            error!(error = %fault, "the internal port ended");
        }
    }));
    tasks
}

fn named<T: Future<Output = ()> + Send>(
    metrics: &Metrics,
    name: &'static str,
    task: T,
) -> impl Future<Output = &'static str> + Send + use<T> {
    let task = metrics.metered(name, task);
    async move {
        task.await;
        name
    }
}
