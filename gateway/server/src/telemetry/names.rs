//! The names of what is measured, each with its name and meaning in the exposition.

/// A step of the road whose time is taken, document by document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// They are opened, verified and judged.
    Inspect,
    /// The verdict becomes durable.
    Record,
    /// Dispatches go into inboxes.
    Dispatch,
    /// What comes back is taken.
    Settle,
}

impl Stage {
    /// The word in metrics and logs.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Inspect => "inspect",
            Stage::Record => "record",
            Stage::Dispatch => "dispatch",
            Stage::Settle => "settle",
        }
    }
}

/// A number that stands for the present moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// 1 when the broker connection for consuming is up.
    BrokerConsuming,
    /// 1 when the broker connection for publishing is up.
    BrokerPublishing,
    /// Seconds until the certificate ends that receipts are signed under.
    CertificateRemaining,
    /// By how many seconds the time of day jumped.
    ClockJumpSeconds,
    /// Dispatches recorded and not yet in an inbox.
    Due,
    /// Free bytes of the disk that holds the data.
    FreeBytes,
    /// Bytes of the index on disk.
    IndexBytes,
    /// Submissions that wait for something.
    Held,
    /// Dispatches in inboxes, not yet handed over.
    InFlight,
    /// Events in the journal.
    JournalEvents,
    /// Messages at the broker that nobody can attribute and that wait for a person.
    Parked,
    /// Packets that crashed their inspector too often and wait for a person.
    ParkedPackets,
    /// Commits that wait for the writer.
    StoreQueue,
    /// Revocation lists that are needed and were never obtained.
    AbsentLists,
    /// OCSP answers that are kept.
    OcspAnswers,
    /// Version of the trust material in use.
    TrustVersion,
}

impl Measure {
    /// All of them, with name and meaning in the exposition.
    pub(super) const TABLE: [(Measure, &'static str, &'static str); 16] = [
        (
            Measure::BrokerConsuming,
            "gateway_broker_consuming",
            "1 when the broker connection for consuming is up",
        ),
        (
            Measure::BrokerPublishing,
            "gateway_broker_publishing",
            "1 when the broker connection for publishing is up",
        ),
        (
            Measure::CertificateRemaining,
            "gateway_certificate_remaining_seconds",
            "Time until the certificate ends that receipts are signed under; negative when it is over: nobody can verify \
             them then. See `gateway check`",
        ),
        (
            Measure::ClockJumpSeconds,
            "gateway_clock_jump_seconds",
            "By how much the time of day jumped or, at a start, lies before the newest event; 0 while it can be believed",
        ),
        (
            Measure::Due,
            "gateway_due_dispatches",
            "Dispatches recorded and not yet in an inbox, counted up to 50000",
        ),
        (
            Measure::FreeBytes,
            "gateway_disk_free_bytes",
            "Free bytes of the disk that holds the data",
        ),
        (
            Measure::Held,
            "gateway_held_submissions",
            "Submissions that wait for something, counted up to 10000",
        ),
        (
            Measure::InFlight,
            "gateway_in_flight_dispatches",
            "Dispatches in inboxes, not yet handed over",
        ),
        (
            Measure::IndexBytes,
            "gateway_index_bytes",
            "Bytes of the index on disk",
        ),
        (
            Measure::StoreQueue,
            "gateway_store_queue_commits",
            "Commits that wait for the writer",
        ),
        (
            Measure::JournalEvents,
            "gateway_journal_events",
            "Events in the journal",
        ),
        (
            Measure::Parked,
            "gateway_parked_messages",
            "Messages at the broker that nobody can attribute",
        ),
        (
            Measure::ParkedPackets,
            "gateway_parked_packets",
            "Packets that crashed their inspector too often",
        ),
        (
            Measure::AbsentLists,
            "gateway_crls_absent",
            "Revocation lists that authorities in use or the configuration name and that were never obtained: what they \
             would settle is held. See `gateway trust status`",
        ),
        (
            Measure::OcspAnswers,
            "gateway_ocsp_answers",
            "OCSP answers about certificates that are kept, one at most about each",
        ),
        (
            Measure::TrustVersion,
            "gateway_trust_version",
            "Version of the trust material in use",
        ),
    ];
}

/// A total that a part keeps itself since its start, and that is only read when somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Commit groups written.
    StoreBatches,
    /// Commits made durable.
    StoreCommits,
    /// Commits that conflicted and were judged again.
    StoreConflicts,
    /// Times the index was made again.
    StoreRebuilds,
    /// Commits answered with a fault.
    StoreRefusals,
    /// Calls of fdatasync.
    StoreSyncs,
    /// Time spent in them, in microseconds.
    StoreSyncMicroseconds,
}

impl Total {
    /// All of them, with name and meaning in the exposition.
    pub(super) const TABLE: [(Total, &'static str, &'static str); 7] = [
        (
            Total::StoreBatches,
            "gateway_store_batches",
            "Commit groups written",
        ),
        (
            Total::StoreCommits,
            "gateway_store_commits",
            "Commits made durable",
        ),
        (
            Total::StoreConflicts,
            "gateway_store_conflicts",
            "Commits that conflicted and were judged again",
        ),
        (
            Total::StoreRebuilds,
            "gateway_store_rebuilds",
            "Times the index was made again",
        ),
        (
            Total::StoreRefusals,
            "gateway_store_refusals",
            "Commits answered with a fault",
        ),
        (
            Total::StoreSyncs,
            "gateway_store_syncs",
            "Calls of fdatasync on journal and packs",
        ),
        (
            Total::StoreSyncMicroseconds,
            "gateway_store_sync_microseconds",
            "Time spent in fdatasync",
        ),
    ];
}
