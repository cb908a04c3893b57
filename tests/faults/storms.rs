//! Stages that fail again and again.

use std::time::Duration;

use genstage::prelude::*;
use genstage::{Failure, Reason, Summary};
use genstage_tests::ledger::{Event, Ledger, assert_balanced};

use crate::fault::{Fault, How, Point};

/// How many events there are, and in a batch.
const EVENTS: u64 = 1000;
const BATCH: u64 = 5;

/// Takes some time for a batch, and fails then, or before there is any.
#[stage(consumer, max_demand = 10)]
struct Fails {
    fault: Fault,
    takes: Duration,
}

impl Fails {
    fn new(fault: &Fault, takes: Duration) -> Self {
        Self { fault: fault.clone(), takes }
    }
}

impl Consumer for Fails {
    type Event = Event;

    async fn init(&mut self, _: &mut Context<Self>) -> Result {
        self.fault.reach(Point::Init)
    }

    async fn handle_events(&mut self, events: &mut Batch<Event>, _: &mut Context<Self>) -> Result {
        tokio::time::sleep(self.takes).await;
        self.fault.reach(Point::Events)?;
        events.drain().for_each(|event| event.deliver());
        Ok(())
    }
}

/// Runs a pipeline in which two stages fail by the same fault, where ten restarts are allowed in the time that five batches take;
/// its end, and what became of its events.
macro_rules! storm {
    ($fault:expr, $takes:expr $(, $strategy:tt)?) => {{
        let (ledger, fault) = (Ledger::default(), $fault);
        let (makes, other) = (ledger.clone(), fault.clone());
        let source = from_iter((0..EVENTS).map(move |number| makes.event(number)));
        let pipeline = pipeline! {
            $(strategy: $strategy,)? max_restarts: 10, within: Duration::from_secs(5);
            source = source;
            one = Fails::new(&fault, $takes), restart: on_failure;
            other = Fails::new(&other, $takes), restart: on_failure;
            source => { one, other };
        };
        (pipeline.run().await, ledger)
    }};
}

/// So many failures are survived, and the batches that failed are lost, and nothing else.
fn check_survived((ended, ledger): (Result<Summary, Failure>, Ledger), failures: u64, lost: u64) -> u64 {
    let summary = ended.unwrap();
    assert_balanced(&summary, &[&ledger]);
    let stages = ["one", "other"].map(|name| summary.stage(name).unwrap());
    let [counted, restarts] = [stages.map(|stage| stage.lost), stages.map(|stage| stage.restarts)]
        .map(|counts| counts.iter().sum());
    assert_eq!((ledger.made(), ledger.delivered(), counted), (EVENTS, EVENTS - lost, lost));
    assert!(restarts >= failures, "{summary}");
    restarts
}

fn faults() -> impl Iterator<Item = (Point, How, u64)> {
    let points = [(Point::Init, 0), (Point::Events, BATCH)].into_iter();
    points.flat_map(|(point, lost)| How::ALL.map(|how| (point, how, lost)))
}

/// As many failures as are allowed at once.
#[tokio::test(start_paused = true)]
async fn just_under_the_limit() {
    for (point, how, lost) in faults() {
        let ended = storm!(Fault::at(point, how, 10), Duration::ZERO);
        assert_eq!(check_survived(ended, 10, 10 * lost), 10);
    }
}

/// Those that are rebuilt with the one that fails lose nothing; nor do they count.
#[tokio::test(start_paused = true)]
async fn just_under_the_limit_of_all() {
    for (point, how, lost) in faults() {
        let ended = storm!(Fault::at(point, how, 10), Duration::ZERO, one_for_all);
        assert!(check_survived(ended, 10, 10 * lost) > 10);
    }
}

/// Failures without end are survived if they come slowly: here ten in five seconds.
#[tokio::test(start_paused = true)]
async fn a_failure_now_and_then_for_ever() {
    for how in How::ALL {
        let ended = storm!(Fault::at(Point::Events, how, 60), Duration::from_millis(1200));
        assert_eq!(check_survived(ended, 60, 60 * BATCH), 60);
    }
}

/// One failure more ends the pipeline. Its cause is named once, by the stage whose it is; the others were only stopped.
#[tokio::test(start_paused = true)]
async fn just_over_the_limit() {
    for (point, how, _) in faults() {
        let (ended, ledger) = storm!(Fault::at(point, how, 11), Duration::ZERO);
        let failure = ended.unwrap_err();
        assert!(std::error::Error::source(&failure).is_none(), "the cause stands in the message");
        let message = failure.to_string();
        let Failure::Stage { stage, summary, .. } = failure else { panic!("{failure}") };
        assert_eq!(message, format!("stage `{stage}` failed: {}", how.reason()));
        assert_balanced(&summary, &[&ledger]);
        let (failed, stopped): (Vec<_>, Vec<_>) =
            summary.stages().iter().partition(|stage| stage.reason.is_failure());
        assert_eq!(failed.iter().map(|stage| &stage.name).collect::<Vec<_>>(), [&stage]);
        assert!(stopped.iter().all(|stage| matches!(stage.reason, Reason::Shutdown)), "{summary}");
        // The other one may have been about to be begun anew.
        let restarts: u64 = summary.stages().iter().map(|stage| stage.restarts).sum();
        assert!((9..=10).contains(&restarts), "{summary}");
    }
}
