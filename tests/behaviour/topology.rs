//! Open outputs, and the graph of a pipeline as a value.

use futures_util::{StreamExt, TryStreamExt};
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, settle};
use genstage::{Reason, Subscribe};

use crate::stages::{Collect, Counter};

/// An output that is left open is read by its handle; it may have consumers in the pipeline, too, and outlives them.
#[tokio::test(start_paused = true)]
async fn open_outputs() {
    let sink = Collect::<u64>::new();
    let batches = sink.batches.clone();
    let app = pipeline! {
        source = Counter::below(10);
        twice = map(|n: u64| n * 2), open;
        source => twice;
    }
    .start()
    .unwrap();
    let stream = app.twice.into_stream(Subscribe::new().max_demand(4)).unwrap();
    let events: Vec<u64> = stream.try_collect().await.unwrap();
    assert!(events.into_iter().eq((0..20).step_by(2)));
    assert!(app.join().await.is_ok());

    let (mut probe, first) = ConsumerProbe::new();
    let app = pipeline! {
        source = Counter::endless(), open;
        first = first;
        source => first;
    }
    .start()
    .unwrap();
    probe.ask(3).await;
    probe.expect_events(0..3).await;
    probe.stop(Reason::Normal).await;
    settle().await;
    assert!(!app.source.has_ended());
    let stream = app.source.into_stream(Subscribe::new().max_demand(1)).unwrap();
    let next: Vec<_> = stream.take(2).map(Result::unwrap).collect().await;
    assert_eq!(next, [3, 4]);
    let sink = sink.spawn();
    sink.subscribe(&app.source, Subscribe::new().max_demand(1).min_demand(0)).await.unwrap();
    let summary = app.drain().await.unwrap();
    let handled = batches.take().concat().len() as u64;
    assert_eq!(summary.stage("source").unwrap().events_out, 5 + handled);
}
