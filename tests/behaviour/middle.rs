//! A middle stage, tested alone with probes.

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe};
use genstage::{CancelKind, Reason, Running};

use crate::stages::Pass;

/// A middle stage between two probes.
fn between() -> (ProducerProbe<u64>, ConsumerProbe<u64>, Running) {
    let ((up, source), (down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let (pipeline, _) = pipeline! {
        source = source;
        pass = Pass::new();
        sink = sink;
        source => pass [max_demand: 10, min_demand: 5, cancel: temporary] => sink [cancel: temporary];
    }
    .into_parts();
    (up, down, pipeline.start().unwrap())
}

#[tokio::test(start_paused = true)]
async fn it_asks_by_its_window_and_handles_on_demand() {
    let (mut up, mut down, _app) = between();
    up.expect_demand(10).await;
    up.emit(0..7).await;
    down.expect_no_events().await;
    up.expect_demand(0).await;
    down.ask(3).await;
    down.expect_events(0..3).await;
    up.expect_demand(5).await;
    down.ask(100).await;
    down.expect_events(3..7).await;
    up.emit(7..10).await;
    assert_eq!(down.batches().await, [[7, 8, 9]]);
    assert_eq!(up.demands().await, [5]);
}

/// Lines 90, 92 and 94 of the catalogue.
#[tokio::test(start_paused = true)]
async fn c090_c092_c094_it_learns_of_both_ends() {
    let (mut up, mut down, _app) = between();
    down.cancel(Reason::custom("oops")).await;
    let cancelled = down.expect_cancel().await;
    assert_eq!((cancelled.kind, cancelled.reason.to_string()), (CancelKind::Cancel, "oops".to_owned()));
    up.stop(Reason::custom("killed")).await;
    up.expect_demand(10).await;

    let (mut up, mut down, _app) = between();
    down.stop(Reason::Normal).await;
    up.expect_demand(10).await;
    up.emit([1]).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the events that came")]
async fn a_probe_says_what_it_missed() {
    let (mut up, mut down, _app) = between();
    down.ask(3).await;
    up.emit([1, 2]).await;
    down.expect_events([1, 3]).await;
}
