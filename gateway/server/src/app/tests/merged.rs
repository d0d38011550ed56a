//! What mergers mean for documents, recalls and statuses that are older than they.

use domain::event::Moved;
use domain::packet::BusinessType;

use super::*;
use crate::stages::inspect::park;

fn merge(bench: &Bench, from: &[u32], into: u32) {
    bench.change(DirectoryChange::Merged {
        from: from.iter().copied().map(AgencyId::from_number).collect(),
        into: AgencyId::from_number(into),
    });
}

/// Everything of a case is stored by its addressees.
fn handed_over(bench: &Bench, case: CaseId) {
    for head in bench.store.addressees(case).expect("told") {
        let dispatch = head.dispatch;
        bench.record(Commit::of(Happening::HandedOver(Moved {
            case,
            dispatch: dispatch.id,
            kind: dispatch.kind,
            to: dispatch.to,
            account: Some(account(dispatch.to.number())),
            at: None,
        })));
    }
}

#[test]
fn an_heir_that_is_named_itself_gets_what_only_its_predecessor_had() {
    let bench = Bench::new();
    let sent = bench.job("s1", 1, &letter(1, &[2]).write().expect("a packet"));
    assert!(matches!(bench.take(&sent), Happening::Accepted(_)));
    handed_over(&bench, sent.case);
    merge(&bench, &[2], 4);
    let by_the_old_code = bench.job("s2", 1, &letter(1, &[2]).write().expect("a packet"));
    assert!(matches!(bench.take(&by_the_old_code), Happening::Repeated(_)));
    let to_the_heir = bench.job("s3", 1, &letter(1, &[4]).write().expect("a packet"));
    let Happening::Extended(extended) = bench.take(&to_the_heir) else {
        panic!("the heir was passed over")
    };
    assert_eq!(extended.addressees[0].agency, AgencyId::from_number(4));
}

#[test]
fn a_recall_acts_on_the_document_of_whom_it_names_among_those_of_merged_agencies() {
    let bench = Bench::new();
    let numbered = |from: u32| {
        let mut packet = letter(from, &[3]);
        packet.document_id = "13/2020".to_owned();
        packet.attachments[0].content = Content::new(format!("of {from}").into_bytes());
        packet
    };
    let sent: Vec<Job> = [1, 2]
        .into_iter()
        .map(|from| {
            bench.job(
                &format!("s{from}"),
                from,
                &numbered(from).write().expect("a packet"),
            )
        })
        .collect();
    for job in &sent {
        assert!(matches!(bench.take(job), Happening::Accepted(_)));
    }
    merge(&bench, &[1, 2], 4);
    for (from, job) in [(2, &sent[1]), (1, &sent[0])] {
        let mut recall = numbered(from);
        recall.business.kind = BusinessType::Recall;
        (recall.attachments, recall.manifest) = (Vec::new(), Vec::new());
        let name = format!("recall {from}").replace(' ', "-");
        let Happening::Accepted(accepted) =
            bench.take(&bench.job(&name, 4, &recall.write().expect("a packet")))
        else {
            panic!("not accepted")
        };
        assert_eq!(accepted.targets, [job.case]);
    }
}

#[test]
fn a_status_that_was_parked_counts_as_of_its_coming() {
    let bench = Bench::new();
    let sent = bench.job("s1", 1, &letter(1, &[2]).write().expect("a packet"));
    assert!(matches!(bench.take(&sent), Happening::Accepted(_)));
    let mut job = bench.job("status", 2, &status(2, 1));
    let Verdict::Record(parked) = park(&bench.road, &job, Rank::Normal, "crashed-three-times") else {
        panic!("not parked")
    };
    bench.record(*parked);
    bench.change(DirectoryChange::Suspended {
        id: AgencyId::from_number(2),
    });
    job.occasion = Occasion::Released;
    assert!(matches!(bench.take(&job), Happening::Reported(_)));
}
