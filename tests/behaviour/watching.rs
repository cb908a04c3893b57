//! What can be seen of a running pipeline from outside, and what it traces.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Error, PipelineSnapshot, StageSnapshot, StageState, Subscribe, Watch};
use tokio::sync::Notify;

use crate::stages::{Collect, Counter, Traces};

/// Handles events when it is told to.
#[stage(consumer)]
struct Held(Arc<Notify>);

impl Consumer for Held {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        self.0.notified().await;
        Ok(())
    }
}

fn stage<'a>(snapshot: &'a PipelineSnapshot, name: &str) -> &'a StageSnapshot {
    snapshot.stage(name).unwrap()
}

/// What is seen of the first edge: asked, sent, handled.
fn edge(watch: &Watch) -> (u64, u64, u64) {
    let edge = &watch.snapshot().edges[0];
    (edge.asked, edge.sent, edge.handled)
}

#[tokio::test]
async fn what_a_pipeline_did_in_all() {
    let running = pipeline! {
        source = Counter::below(1000);
        even = filter(|n: &u64| n.is_multiple_of(2));
        sink = Collect::new(), replicas: 2;
        source => even => sink [max_demand: 10];
    }
    .start()
    .unwrap();
    let watch = running.watch();
    running.join().await.unwrap();

    let snapshot = watch.snapshot();
    let names: Vec<_> = snapshot.stages.iter().map(|stage| (&*stage.name, stage.node)).collect();
    assert_eq!(names, [("source", 0), ("even", 1), ("sink[0]", 2), ("sink[1]", 2)]);
    assert_eq!(watch.graph().nodes()[2].replicas, 2);
    assert!(snapshot.stages.iter().all(|stage| stage.state == StageState::Ended && stage.mailbox == 0));
    let (source, even) = (stage(&snapshot, "source"), stage(&snapshot, "even"));
    assert_eq!((source.events_out, even.events_in, even.events_out), (1000, 1000, 500));
    assert_eq!(snapshot.stages[2].events_in + snapshot.stages[3].events_in, 500);

    let edges: Vec<_> = snapshot.edges.iter().map(|edge| (&*edge.from, &*edge.to, edge.edge)).collect();
    assert_eq!(edges, [("source", "even", 0), ("even", "sink[0]", 1), ("even", "sink[1]", 1)]);
    assert_eq!((snapshot.edges[0].sent, snapshot.edges[0].handled), (1000, 1000));
    assert_eq!(snapshot.edges[1].handled + snapshot.edges[2].handled, 500);
    assert!(snapshot.edges.iter().all(|edge| edge.asked >= edge.sent && edge.in_flight() == 0));
}

/// A stage is seen as it is while a callback of its own keeps it from everything.
#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_stuck_is_seen_to_be_so() {
    let go_on = Arc::new(Notify::new());
    let running = pipeline! {
        source = Counter::endless();
        held = Held(go_on.clone());
        source => held [max_demand: 10, min_demand: 5];
    }
    .start()
    .unwrap();
    let watch = running.watch();
    settle().await;
    let snapshot = watch.snapshot();
    assert_eq!(stage(&snapshot, "held").state, StageState::InCallback);
    assert_eq!(stage(&snapshot, "source").state, StageState::Waiting);
    assert_eq!(edge(&watch), (10, 10, 0));
    assert_eq!((snapshot.edges[0].outstanding(), snapshot.edges[0].in_flight()), (0, 10));

    go_on.notify_one();
    settle().await;
    // Five are handled and asked for anew; five more are with the handler now, and what was asked for waits in the mailbox.
    assert_eq!(edge(&watch), (15, 15, 5));
    assert_eq!(stage(&watch.snapshot(), "held").mailbox, 1);
    running.abort().await.unwrap();
    let held = watch.snapshot();
    assert_eq!((stage(&held, "held").state, stage(&held, "held").lost), (StageState::Ended, 5));
}

/// Of stages without a pipeline, each subscription says what has gone over it.
#[tokio::test(start_paused = true)]
async fn what_has_gone_over_a_subscription() {
    let (source, held) = (Counter::endless().spawn(), Held(Arc::default()).spawn());
    let subscription = held.subscribe(&source, Subscribe::new().max_demand(10)).await.unwrap();
    settle().await;
    assert_eq!((subscription.asked(), subscription.sent(), subscription.handled()), (10, 10, 0));
    let snapshot = source.snapshot().await.unwrap();
    // `init`, the subscription, and one demand.
    assert_eq!((snapshot.mailbox, snapshot.callbacks, snapshot.consumers[0].sent()), (0, 3, 10));
}

/// What a stream gives back has not been sent.
#[tokio::test(start_paused = true)]
async fn what_a_stream_gives_back_is_not_counted_as_sent() {
    let source = Counter::endless().spawn();
    let mut stream = source.into_stream(Subscribe::new().max_demand(10)).unwrap();
    stream.next().await.unwrap().unwrap();
    settle().await;
    let subscription = source.snapshot().await.unwrap().consumers[0].clone();
    assert_eq!((subscription.sent(), subscription.handled()), (10, 1));
    drop(stream);
    settle().await;
    assert_eq!((subscription.sent(), subscription.handled()), (1, 1));
}

/// A stage that goes through a large message, or fails again and again in it, does not wait in between.
#[tokio::test(start_paused = true)]
async fn a_stage_that_never_waits_is_seen_to_move_on() {
    #[stage(consumer, max_demand = 100, min_demand = 90)]
    struct Slow;

    impl Consumer for Slow {
        type Event = u64;

        async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            tokio::time::sleep(Duration::from_secs(1)).await;
            match events[0] {
                20 => Err(Error::msg("twenty")),
                _ => Ok(()),
            }
        }
    }

    let running =
        pipeline! { source = Counter::below(100); slow = Slow, restart: on_failure; source => slow; }
            .start()
            .unwrap();
    let watch = running.watch();
    let seen = || {
        let snapshot = watch.snapshot();
        let slow = snapshot.stage("slow").unwrap();
        (slow.events_in, slow.restarts, snapshot.edge("source", "slow").unwrap().handled)
    };
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(seen(), (30, 0, 20));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(seen(), (60, 1, 50));
    running.abort().await.unwrap();
}

/// The clock goes while somebody watches: one stage is in a callback all the time, and the other never.
#[tokio::test]
async fn the_busy_share_tells_who_works() {
    let running = pipeline! {
        source = Counter::endless();
        held = Held(Arc::new(Notify::new()));
        source => held;
    }
    .start()
    .unwrap();
    let watch = running.watch();
    while stage(&watch.snapshot(), "held").state != StageState::InCallback {
        tokio::task::yield_now().await;
    }
    // What is in a callback is counted when that is over, or when it has lasted until now.
    let earlier = watch.snapshot();
    let later = loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let later = watch.snapshot();
        if later.clock > earlier.clock {
            break later;
        }
    };
    assert_eq!(later.busy_share(&earlier, 0), Some(0.0));
    assert_eq!(later.busy_share(&earlier, 1), Some(1.0));
    assert_eq!(later.busy_share(&earlier, 2), None, "there is no such stage");
    assert_eq!(earlier.busy_share(&earlier, 0), None, "the clock has not moved");
}

#[tokio::test(start_paused = true)]
async fn what_lasts_too_long_is_warned_of_once() {
    let traces = Traces::default();
    let _guard = tracing::subscriber::set_default(traces.clone());
    let go_on = Arc::new(Notify::new());
    let running = pipeline! {
        warn_after: Duration::from_secs(1);
        source = Counter::endless();
        held = Held(go_on.clone());
        source => held [max_demand: 10, min_demand: 5];
    }
    .start()
    .unwrap();
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(traces.warnings(), [""; 0]);
    let expected = [
        "a callback takes long stage=held seconds=1.0",
        "a producer waits for demand from=source to=held seconds=1.0",
    ];
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(traces.warnings(), expected);
    // The next batch is slow, too, and what is asked for before that is sent at once.
    go_on.notify_one();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(traces.warnings(), expected);
    running.abort().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_warned_of_unless_that_is_wanted() {
    let traces = Traces::default();
    let _guard = tracing::subscriber::set_default(traces.clone());
    let running = pipeline! { source = Counter::endless(); held = Held(Arc::default()); source => held; }
        .start()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    running.abort().await.unwrap();
    assert_eq!(traces.warnings(), [""; 0]);
}

/// Fails at its first batch, once.
#[stage(consumer)]
struct Fails;

impl Consumer for Fails {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        tracing::debug!("handling");
        match events[0] {
            0 => Err(Error::msg("zero")),
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_life_of_a_stage_is_traced() {
    let traces = Traces::default();
    let _guard = tracing::subscriber::set_default(traces.clone());
    pipeline! {
        source = Counter::below(2);
        fails = Fails, restart: on_failure;
        source => fails [max_demand: 1];
    }
    .run()
    .await
    .unwrap();
    let of_fails: Vec<_> = traces.take().into_iter().filter(|trace| !trace.contains("source")).collect();
    assert_eq!(
        of_fails,
        [
            "DEBUG started stage=fails role=Consumer",
            "DEBUG stage{stage=fails}: handling",
            "WARN stage{stage=fails}: begun anew stage=fails reason=zero",
            "DEBUG stage{stage=fails}: handling",
            "DEBUG ended stage=fails reason=normal",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_traced_as_an_error() {
    let traces = Traces::default();
    let _guard = tracing::subscriber::set_default(traces.clone());
    pipeline! { source = Counter::below(2); fails = Fails; source => fails; }.run().await.unwrap_err();
    assert!(traces.take().contains(&"ERROR failed stage=fails reason=zero".to_owned()));
}
