//! `batch`.

use std::time::Duration;

use genstage::Reason;
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe};

use crate::stages::{Collect, Counter};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn full_ones_and_the_rest() {
    let sink = Collect::new();
    let batches = sink.batches.clone();
    pipeline! { sink = sink; counter = Counter::below(2500); counter => batch(1000, Duration::MAX) => sink; }
        .run()
        .await
        .unwrap();
    let sizes: Vec<_> = batches.take().concat().iter().map(Vec::len).collect();
    assert_eq!(sizes, [1000, 1000, 500]);
}

#[tokio::test(start_paused = true)]
async fn a_small_one_when_the_time_has_passed() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let _app =
        pipeline! { source = source; sink = sink; source => batch(3, SECOND) => sink; }.start().unwrap();
    down.ask(10).await;
    up.emit([1, 2]).await;
    tokio::time::sleep(SECOND / 2).await;
    down.expect_no_events().await;
    tokio::time::sleep(SECOND / 2).await;
    down.expect_events([vec![1, 2]]).await;
    // Its time begins with its first event.
    tokio::time::sleep(10 * SECOND).await;
    up.emit([3]).await;
    down.expect_no_events().await;
    up.emit([4, 5, 6]).await;
    down.expect_events([vec![3, 4, 5]]).await;
    tokio::time::sleep(SECOND).await;
    down.expect_events([vec![6]]).await;
}

/// What is late is full, and no more than that is taken in.
#[tokio::test(start_paused = true)]
async fn one_that_nobody_wants_fills_and_then_holds_up_its_producers() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let app = pipeline! {
        source = source;
        sink = sink;
        batches = batch(10, SECOND);
        source => batches [max_demand: 4] => sink;
    }
    .start()
    .unwrap();
    up.expect_demand(4).await;
    up.emit(0..4).await;
    up.expect_demand(4).await;
    tokio::time::sleep(5 * SECOND).await;
    up.emit(4..8).await;
    up.expect_demand(4).await;
    up.emit(8..12).await;
    // Two have found room, and two wait.
    up.expect_demand(2).await;
    up.emit(12..14).await;
    up.expect_demand(0).await;
    assert_eq!(app.batches.snapshot().await.unwrap().events_in, 10);
    down.ask(1).await;
    down.expect_events([(0..10).collect::<Vec<_>>()]).await;
    up.expect_demand(4).await;
    // The next one waits for its time, as somebody wants it.
    down.ask(1).await;
    down.expect_no_events().await;
    tokio::time::sleep(SECOND).await;
    down.expect_events([(10..14).collect::<Vec<_>>()]).await;
}

#[tokio::test(start_paused = true)]
async fn what_it_holds_goes_out_in_a_drain_and_is_discarded_by_a_stop() {
    for drained in [true, false] {
        let ((mut up, source), sink) = (ProducerProbe::new(), Collect::new());
        let batches = sink.batches.clone();
        let app = pipeline! {
            source = source;
            sink = sink;
            batches = batch(10, SECOND);
            source => batches => sink;
        }
        .start()
        .unwrap();
        up.emit(0..7).await;
        up.demands().await;
        let summary = match drained {
            true => app.drain().await.unwrap(),
            false => app.stop(Reason::Shutdown).await.unwrap(),
        };
        let held = summary.stage("batches").unwrap();
        assert_eq!((held.events_in, held.events_out), (7, u64::from(drained)));
        assert_eq!(held.discarded, if drained { 0 } else { 7 });
        assert_eq!(batches.take().concat().concat().len(), if drained { 7 } else { 0 });
    }
}

#[tokio::test]
async fn a_size_of_nothing_is_one() {
    let sink = Collect::new();
    let batches = sink.batches.clone();
    pipeline! { sink = sink; from_iter(0..3) => batch(0, SECOND) => sink; }.run().await.unwrap();
    assert_eq!(batches.take().concat(), [[0], [1], [2]]);
}

/// The end of one of its producers has it send what it has, once that is wanted, and no sooner.
#[tokio::test(start_paused = true)]
async fn ends_of_producers_make_no_small_ones_that_nobody_wants() {
    let (mut down, sink) = ConsumerProbe::new();
    let _app = pipeline! {
        short = from_iter(0..1), replicas: 50;
        long = from_iter(0..);
        batches = batch(100, Duration::MAX);
        sink = sink;
        { short, long } => batches => sink;
    }
    .start()
    .unwrap();
    down.expect_no_events().await;
    down.ask(1).await;
    let first = down.batches().await.concat();
    assert_eq!(first.len(), 1);
    down.expect_no_events().await;
}
