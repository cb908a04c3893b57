//! `a |> b`: stages that share a task.

mod failures;
mod handles;
mod turns;

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe, settle};
use genstage::{Kind, Restart};

use crate::stages::{Collect, Counter, First, Log, Pass};

/// What all batches come to.
fn flat<T>(batches: &Log<Vec<T>>) -> Vec<T> {
    batches.take().into_iter().flatten().collect()
}

#[tokio::test]
async fn at_both_ends_and_in_the_middle() {
    let sink = Collect::new();
    let batches = sink.batches.clone();
    let summary = pipeline! {
        sink = sink;
        from_iter(0..1000u64) |> map(|n| n + 1) => flat_map(|n: u64| [n, n]) |> filter(|n: &u64| n.is_multiple_of(3)) => map(|n| n * 10) |> sink;
    }
    .run()
    .await
    .unwrap();
    let expected: Vec<_> = (1..=1000).filter(|n| n % 3 == 0).flat_map(|n| [n * 10, n * 10]).collect();
    assert_eq!(flat(&batches), expected);
    let counts: Vec<_> =
        summary.stages().iter().map(|stage| (&*stage.name, stage.events_in, stage.events_out)).collect();
    assert_eq!(
        counts,
        [("map#2 |> sink", 666, 0), ("from_iter |> map#1", 0, 1000), ("flat_map |> filter", 1000, 666)]
    );
}

/// The window is that of the edge before the first of them; what they emit is not more than is wanted.
#[tokio::test(start_paused = true)]
async fn demand_goes_through() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let _app = pipeline! {
        source = source;
        sink = sink;
        source => map(|n: u64| n + 1) [max_demand: 4, min_demand: 2] |> filter(|n: &u64| n.is_multiple_of(2)) => sink;
    }
    .start()
    .unwrap();
    up.expect_demand(4).await;
    up.emit(0..4).await;
    down.expect_no_events().await;
    down.ask(3).await;
    down.expect_events([2, 4]).await;
    up.expect_demand(4).await;
}

/// A source is asked for what is wanted and not owed, and again for what the part behind it has left out.
#[tokio::test(start_paused = true)]
async fn a_source_owes_what_is_wanted() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let _app = pipeline! {
        source = source;
        sink = sink;
        source |> filter(|n: &u64| n.is_multiple_of(2)) => sink;
    }
    .start()
    .unwrap();
    up.expect_demand(0).await;
    // What nobody wants waits between the two.
    up.emit([0, 1]).await;
    down.expect_no_events().await;
    down.ask(3).await;
    down.expect_events([0]).await;
    up.expect_demand(2).await;
    up.emit([3, 4]).await;
    down.expect_events([4]).await;
    up.expect_demand(1).await;
    down.ask(1).await;
    up.expect_demand(1).await;
}

/// A window in a part's `#[stage]` is its promise how many events come at a time, whatever comes to it.
#[tokio::test]
async fn a_stated_window_bounds_the_batches() {
    #[stage(consumer, max_demand = 6, min_demand = 3)]
    struct Few(Log<usize>);

    impl Consumer for Few {
        type Event = u64;

        async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            self.0.push(events.len());
            Ok(())
        }
    }

    let sizes = Log::new();
    let few = Few(sizes.clone());
    pipeline! { few = few; from_iter(0..20u64) => map(|n| n) |> few; }.run().await.unwrap();
    assert_eq!(sizes.take(), [3, 3, 3, 3, 3, 3, 2]);
}

/// Whoever finishes, the rest of the pipeline ends normally.
#[tokio::test]
async fn the_end_of_one_is_that_of_all() {
    let pass = Pass::new();
    let (first, ended) = (First { enough: 3, taken: Log::new() }, pass.ended.clone());
    let taken = first.taken.clone();
    let summary = pipeline! {
        pass = pass;
        first = first;
        from_iter(0u64..) => pass |> first;
    }
    .run()
    .await
    .unwrap();
    assert_eq!((taken.take(), ended.take()), (vec![0, 1, 2], vec!["normal".to_owned()]));
    assert!(summary.stages().iter().all(|stage| stage.reason.to_string() == "normal"), "{summary}");

    let (source, sink) = (Counter::below(10), Collect::new());
    let batches = sink.batches.clone();
    pipeline! { source = source; sink = sink; source |> map(|n| n) => sink; }.run().await.unwrap();
    assert_eq!(flat(&batches), (0..10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn draining_loses_nothing() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let app = pipeline! {
        source = source;
        sink = sink;
        source |> map(|n: u64| n + 1) => sink;
    }
    .start()
    .unwrap();
    up.emit([1, 2, 3]).await;
    down.ask(1).await;
    down.expect_events([2, 3, 4][..1].to_vec()).await;
    let drained = tokio::spawn(app.drain());
    settle().await;
    down.ask(5).await;
    down.expect_events([3, 4]).await;
    let summary = drained.await.unwrap().unwrap();
    assert_eq!(summary.stage("source |> map").map(|stage| (stage.events_out, stage.discarded)), Some((3, 0)));
}

#[tokio::test]
async fn in_threads_that_may_block_if_one_of_them_may() {
    #[stage(producer_consumer, blocking)]
    struct Blocks;

    impl ProducerConsumer for Blocks {
        type Input = u64;
        type Output = u64;

        async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
            cx.emit_all(events.drain());
            Ok(())
        }
    }

    let sink = Collect::new();
    let batches = sink.batches.clone();
    let app = pipeline! { sink = sink; from_iter(0..3u64) |> map(|n| n) |> Blocks::new() => sink; };
    assert!(app.graph().nodes()[1].blocking);
    app.run().await.unwrap();
    assert_eq!(flat(&batches), [0, 1, 2]);

    impl Blocks {
        fn new() -> Self {
            Self
        }
    }
}

#[test]
fn the_graph_shows_them() {
    let app = pipeline! {
        pass = Pass::new(), replicas: 2;
        sink = Collect::new(), restart: on_failure;
        from_iter(0..3u64) => map(|n| n) |> pass => filter(|_: &u64| true) |> sink;
    };
    let graph = app.graph();
    let [group, sink, source] = graph.nodes() else { panic!("{graph:?}") };
    let parts: Vec<_> = group.parts.iter().map(|part| (&*part.name, part.stage)).collect();
    assert_eq!((&*group.name, group.replicas, group.role), ("map |> pass", 2, Kind::ProducerConsumer));
    assert_eq!(parts, [("map", "Map"), ("pass", "Pass")]);
    assert_eq!(
        (&*sink.name, sink.restart, sink.role),
        ("filter |> sink", Restart::OnFailure, Kind::Consumer)
    );
    assert!(source.parts.is_empty());
    assert_eq!(
        graph.to_mermaid(),
        "flowchart LR\n    n0[\"map |> pass × 2<br/>Map |> Pass\"]\n    n1[[\"filter |> sink<br/>Filter |> Collect, restarts\"]]\n    \
         n2([\"from_iter<br/>FromIter\"])\n    n2 -->|\"1000\"| n0\n    n0 -->|\"1000\"| n1\n"
    );
}
