//! Children of a consumer supervisor that fail, and events of which no copy can be made for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use genstage::prelude::*;
use genstage::{Child, ConsumerSupervisor, Failure, Reason};
use genstage_tests::ledger::{Event, Ledger, assert_balanced};

use crate::fault::How;

/// An event whose copies panic at some counts.
struct Brittle {
    event: Event,
    copies: Arc<AtomicUsize>,
    breaks: fn(usize) -> bool,
}

impl Clone for Brittle {
    fn clone(&self) -> Self {
        let Self { event, copies, breaks } = self;
        assert!(!breaks(copies.fetch_add(1, Relaxed)), "no copy");
        Self { event: event.clone(), copies: copies.clone(), breaks: *breaks }
    }
}

/// Its children fail at some counts.
#[stage(consumer_supervisor, max_demand = 4, restart = transient, max_restarts = 10)]
struct Parent {
    runs: Arc<AtomicUsize>,
    fails: fn(usize) -> bool,
    how: How,
}

impl ConsumerSupervisor for Parent {
    type Event = Brittle;

    fn start_child(
        &mut self,
        brittle: Brittle,
        _: &Child,
    ) -> Result<impl Future<Output = Result> + Send + 'static> {
        let (run, fails, how) = (self.runs.fetch_add(1, Relaxed), self.fails, self.how);
        Ok(async move {
            tokio::task::yield_now().await;
            if fails(run) {
                how.strike()?;
            }
            brittle.event.deliver();
            Ok(())
        })
    }
}

/// Runs forty events through a supervisor; its end, and what became of the events. How often the children have been run.
async fn run(
    breaks: fn(usize) -> bool,
    fails: fn(usize) -> bool,
    how: How,
) -> (Result<genstage::Summary, Failure>, Ledger, usize) {
    let (ledger, copies, runs) = (Ledger::default(), Arc::default(), Arc::new(AtomicUsize::new(0)));
    let (events, parent) = (ledger.clone(), Parent { runs: runs.clone(), fails, how });
    let events =
        (0..40).map(move |n| Brittle { event: events.event(n), copies: Arc::clone(&copies), breaks });
    let ended = pipeline! { parent = parent; from_iter(events) => parent; }.run().await;
    (ended, ledger, runs.load(Relaxed))
}

/// Ten restarts are allowed: nothing is lost with the children that fail before.
#[tokio::test(start_paused = true)]
async fn children_that_are_begun_anew_lose_nothing() {
    for how in How::ALL {
        let (ended, ledger, runs) = run(|_| false, |run| run % 5 == 4, how).await;
        let summary = ended.unwrap();
        assert_balanced(&summary, &[&ledger]);
        assert_eq!((ledger.delivered(), ledger.dropped(), runs), (40, 0, 49));
    }
}

/// One restart more is the end: what has not been delivered by then is counted, and the cause is named.
#[tokio::test(start_paused = true)]
async fn a_child_that_fails_for_ever() {
    for how in How::ALL {
        let (ended, ledger, _) = run(|_| false, |run| run >= 20, how).await;
        let Err(Failure::Stage { stage, reason, summary }) = ended else { panic!("it goes on") };
        assert_eq!((&*stage, &*reason.to_string()), ("parent", how.reason()));
        assert_balanced(&summary, &[&ledger]);
        let parent = summary.stage("parent").unwrap();
        assert!(matches!(parent.reason, Reason::Shutdown), "{summary}");
        assert_eq!((ledger.delivered(), parent.events_in - parent.lost), (20, 20));
    }
}

/// An event of which no copy can be made has no child: it is lost, alone, and its slot is free.
#[tokio::test(start_paused = true)]
async fn events_that_cannot_be_copied() {
    let (ended, ledger, runs) = run(|copy| copy % 4 == 1, |_| false, How::Error).await;
    let summary = ended.unwrap();
    assert_balanced(&summary, &[&ledger]);
    assert_eq!((ledger.delivered(), summary.stage("parent").unwrap().lost, runs), (30, 10, 30));
}

/// A copy for a child that is begun anew is tried again, as its start is.
#[tokio::test(start_paused = true)]
async fn events_that_cannot_be_copied_again() {
    // The fifth child fails; then the copy for its restart does.
    let (ended, ledger, runs) = run(|copy| copy == 4, |run| run == 3, How::Panic).await;
    let summary = ended.unwrap();
    assert_balanced(&summary, &[&ledger]);
    assert_eq!((ledger.delivered(), summary.stage("parent").unwrap().lost, runs), (40, 0, 41));
}
