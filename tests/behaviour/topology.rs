//! Open outputs, and the graph of a pipeline as a value.

use futures_util::{StreamExt, TryStreamExt};
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, settle};
use genstage::{Cancel, Kind, Reason, Restart, Subscribe};

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

/// Emits to both kinds of numbers.
#[stage(producer, dispatcher = partition(2, index = |n: &u64| Some((n % 2) as usize)), blocking)]
struct Parts;

impl Producer for Parts {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

/// The graph is there before the start, with every option that was stated or is the default.
#[test]
fn the_graph_as_a_value() {
    let app = pipeline! {
        parts = Parts, restart: on_failure;
        sink = Collect::<u64>::new(), replicas: 2;
        left = map(|n: u64| n), open;
        parts => { left [partition: 0, max_demand: 10, cancel: temporary], for_each(|_| ()) [partition: 1] };
        left => sink;
    };
    let graph = app.graph();
    let [parts, sink, left, for_each] = graph.nodes() else { panic!("{graph:?}") };
    assert_eq!((parts.stage, parts.role, parts.restart), ("Parts", Kind::Producer, Restart::OnFailure));
    assert_eq!((parts.dispatcher, parts.blocking, parts.open), (Some("PartitionDispatcher"), true, false));
    assert_eq!((&*sink.name, sink.replicas, sink.dispatcher), ("sink", 2, None));
    assert_eq!((left.stage, left.open, &*for_each.name), ("Map", true, "for_each"));
    let [first, second, third] = graph.edges() else { panic!("{graph:?}") };
    assert_eq!((&*first.from, &*first.to, first.partition.as_deref()), ("parts", "left", Some("0")));
    assert_eq!((first.max_demand, first.min_demand, first.cancel), (10, 5, Cancel::Temporary));
    assert_eq!((&*second.to, second.max_demand, second.cancel), ("for_each", 1000, Cancel::Complete));
    assert_eq!(third.partition, None);
    assert_eq!(
        graph.to_mermaid(),
        r#"flowchart LR
    n0(["parts<br/>Parts, PartitionDispatcher, restarts, blocking"])
    n1[["sink × 2<br/>Collect"]]
    n2["left<br/>Map, open"]
    n3[["for_each<br/>ForEach"]]
    n0 -->|"0: 10"| n2
    n0 -->|"1: 1000"| n3
    n2 -->|"1000"| n1
"#
    );
    assert_eq!(
        graph.to_dot(),
        r#"digraph pipeline {
    rankdir=LR;
    n0 [shape=ellipse, label="parts\nParts, PartitionDispatcher, restarts, blocking"];
    n1 [shape=box, peripheries=2, label="sink × 2\nCollect"];
    n2 [shape=box, label="left\nMap, open"];
    n3 [shape=box, peripheries=2, label="for_each\nForEach"];
    n0 -> n2 [label="0: 10"];
    n0 -> n3 [label="1: 1000"];
    n2 -> n1 [label="1000"];
}
"#
    );
}

/// What a `#[cfg]` leaves out takes its edges, its handle and its part of the graph with it; other attributes go where they belong.
#[tokio::test]
async fn attributes_of_nodes() {
    #[deprecated(note = "for the test")]
    fn old() -> Collect<u64> {
        Collect::new()
    }

    let app = pipeline! {
        #[cfg(all())]
        /// Counts.
        source = Counter::below(10);
        #[cfg(any())]
        source_of_another_platform = nothing::like::this();
        #[allow(deprecated)]
        sink = old(), replicas: 2;
        #[cfg(any())]
        left_out = Collect::<u64>::new();

        source => sink;
        source => left_out [max_demand: 3];
        source_of_another_platform => { sink, for_each(|_: u64| ()) };
        source => for_each(|_| ());
    };
    let names: Vec<_> = app.graph().nodes().iter().map(|node| &*node.name).collect();
    assert_eq!(names, ["source", "sink", "for_each#1", "for_each#2"]);
    assert_eq!(app.graph().edges().len(), 2);
}
