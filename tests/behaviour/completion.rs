//! How stages and pipelines end when nothing fails.

use std::time::Duration;

use futures_util::FutureExt;
use genstage::prelude::*;
use genstage::{Failure, Reason};

use crate::stages::{Collect, Counter, First, Log, Pass};

#[tokio::test]
async fn finish_waits_for_what_is_buffered() {
    /// Emits everything at once.
    #[stage(producer)]
    struct AllAtOnce;

    impl Producer for AllAtOnce {
        type Event = u64;

        async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
            cx.emit_all(0..5000);
            cx.finish();
            Ok(())
        }
    }

    let batches = Log::new();
    let sink = Collect { batches: batches.clone() };
    let summary =
        pipeline! { source = AllAtOnce; sink = sink; source => sink [max_demand: 7]; }.run().await.unwrap();
    assert_eq!(batches.take().concat(), (0..5000).collect::<Vec<_>>());
    assert_eq!(summary.stage("source").unwrap().discarded, 0);
}

#[tokio::test]
async fn a_full_buffer_discards_and_counts() {
    /// Emits ten times what its buffer holds, then ends.
    #[stage(producer, buffer_size = 100, buffer_keep = first)]
    struct Flood;

    impl Producer for Flood {
        type Event = u64;

        async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
            assert_eq!(demand, 10);
            cx.emit_all(0..1000);
            cx.finish();
            Ok(())
        }
    }

    let batches = Log::new();
    let sink = Collect { batches: batches.clone() };
    let summary =
        pipeline! { source = Flood; sink = sink; source => sink [max_demand: 10]; }.run().await.unwrap();
    assert_eq!(batches.take().concat(), (0..110).collect::<Vec<_>>());
    let source = summary.stage("source").unwrap();
    assert_eq!((source.events_out, source.discarded), (110, 890));
}

#[tokio::test]
async fn a_consumer_that_has_enough_ends_the_whole_pipeline() {
    let taken = Log::new();
    let sink = First { enough: 5, taken: taken.clone() };
    let summary = pipeline! {
        source = Counter::endless();
        pass = Pass::new();
        sink = sink;
        source => pass => sink [max_demand: 4];
    }
    .run()
    .await
    .unwrap();
    assert_eq!(taken.take(), [0, 1, 2, 3, 4]);
    assert!(summary.stages().iter().all(|stage| stage.reason.is_normal()), "{summary}");
    // Nothing is lost silently: what one sent, the next handled or discarded.
    let [source, pass, sink] = ["source", "pass", "sink"].map(|name| summary.stage(name).unwrap());
    assert_eq!(source.events_out, pass.events_out + pass.discarded);
    assert_eq!(pass.events_out, sink.events_in + sink.discarded);
}

#[tokio::test]
async fn a_producer_goes_on_while_one_consumer_is_left() {
    let (batches, taken) = (Log::new(), Log::new());
    let (few, all) = (First { enough: 3, taken: taken.clone() }, Collect { batches: batches.clone() });
    pipeline! {
        source = Counter::below(1000);
        few = few;
        all = all;
        source => { few [max_demand: 1], all [max_demand: 1] };
    }
    .run()
    .await
    .unwrap();
    assert_eq!(taken.take().len(), 3);
    assert_eq!(batches.take().len(), 997);
}

/// A stage that nobody can reach any more ends, so that a pipeline whose edges never end anything ends all the same.
#[tokio::test]
async fn an_unreachable_stage_ends() {
    let summary = pipeline! {
        source = Counter::below(10);
        sink = Collect::<u64>::new();
        source => sink [cancel: temporary];
    }
    .run()
    .await
    .unwrap();
    assert!(summary.stage("sink").unwrap().reason.is_normal());
}

#[tokio::test]
async fn dropping_a_running_pipeline_stops_it_and_every_terminate_runs() {
    #[stage(consumer)]
    struct Stuck {
        ended: Log<String>,
    }

    impl Consumer for Stuck {
        type Event = u64;

        async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            std::future::pending().await
        }

        async fn terminate(&mut self, reason: &Reason) {
            self.ended.push(reason.to_string());
        }
    }

    let ended = Log::new();
    let (pass, sink) = (Pass { ended: ended.clone() }, Stuck { ended: ended.clone() });
    let app = pipeline! { pass = pass; sink = sink; from_iter(0..) => pass => sink; }.start().unwrap();
    let (pass, sink) = (app.pass.clone(), app.sink.clone());
    tokio::task::yield_now().await;
    assert!(!sink.has_ended());
    drop(app);
    pass.ended().await;
    sink.ended().await;
    assert_eq!(ended.take(), ["shutdown", "shutdown"]);
}

/// Whoever waits for the end of a stage learns why it has ended, and not before it has; also while its state is being dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_stage_is_known_when_its_state_is_gone() {
    /// Takes as long to be dropped as the test wants it to.
    #[stage(consumer)]
    struct Lingers {
        dropping: tokio::sync::mpsc::UnboundedSender<()>,
        go: std::sync::mpsc::Receiver<()>,
    }

    impl Drop for Lingers {
        fn drop(&mut self) {
            self.dropping.send(()).unwrap();
            self.go.recv().unwrap();
        }
    }

    impl Consumer for Lingers {
        type Event = u64;

        async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            Ok(())
        }
    }

    let (dropping, mut is_dropping) = tokio::sync::mpsc::unbounded_channel();
    let (go, may_go) = std::sync::mpsc::channel();
    let stage = Lingers { dropping, go: may_go }.spawn();
    let stopped = tokio::spawn({
        let stage = stage.clone();
        async move { stage.stop(Reason::Normal).await }
    });
    is_dropping.recv().await.unwrap();
    let mut ended = std::pin::pin!(stage.ended());
    for _ in 0..3 {
        assert!(ended.as_mut().now_or_never().is_none(), "while the state is being dropped");
    }
    go.send(()).unwrap();
    assert!(ended.await.is_normal());
    assert!(stopped.await.unwrap().is_normal());
}

#[tokio::test(start_paused = true)]
async fn a_detached_pipeline_runs_on() {
    let batches = Log::new();
    let sink = Collect { batches: batches.clone() };
    let handles = pipeline! { sink = sink; from_iter(0..5) => sink; }.start().unwrap().detach();
    handles.sink.ended().await;
    assert_eq!(batches.take(), [[0, 1, 2, 3, 4]]);
}

#[tokio::test]
async fn a_dropped_run_stops_the_pipeline() {
    let pass = Pass::new();
    let ended = pass.ended.clone();
    let run = pipeline! { pass = pass; from_iter(0..) => pass => for_each(|_: u64| ()); }.run();
    tokio::time::timeout(Duration::from_millis(20), run).await.unwrap_err();
    while ended.take().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn demands_that_make_no_sense_are_refused_with_the_edge() {
    let (zero, none) = (0, 0);
    let app = pipeline! {
        source = Counter::endless();
        pass = Pass::new();
        sink = Collect::<u64>::new();
        nobody = Collect::<u64>::new(), replicas: none;
        source => pass [max_demand: zero] => { sink [min_demand: 3000], nobody };
    };
    let refused = app.run().await.unwrap_err();
    assert!(matches!(refused, Failure::Refused(_)));
    assert_eq!(
        refused.to_string(),
        "the pipeline was not started: edge `source => pass`: expected max_demand >= 1, got 0; \
         edge `pass => sink`: expected min_demand below max_demand (1000), got 3000; \
         node `nobody`: expected replicas >= 1, got 0"
    );
}

#[test]
fn without_a_runtime_nothing_starts() {
    let refused = pipeline! { from_iter(0..3) => for_each(|_| ()); }.start().unwrap_err();
    assert!(matches!(refused, Failure::NoRuntime));
}

#[tokio::test]
async fn the_summary_prints_as_a_table() {
    let summary = pipeline! { from_iter(0..3) => for_each(|_| ()); }.run().await.unwrap();
    assert_eq!(
        summary.to_string(),
        "stage        events in   events out  discarded   lost  ended\n\
         from_iter            0            3          0      0  normal\n\
         for_each             3            0          0      0  normal"
    );
}
