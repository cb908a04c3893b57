//! Ending a running pipeline from outside: drain, stop, abort, and a signal.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::SinkExt;
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, settle};
use genstage::{Failure, Reason, Summary, from_sink};

use crate::stages::{Collect, Counter, Log};

/// Everything that was emitted has been handled, by name of producer and consumers.
fn assert_nothing_is_left(summary: &Summary, emitted: u64, sinks: &[&str]) {
    let handled: u64 = sinks.iter().map(|sink| summary.stage(sink).unwrap().events_in).sum();
    assert_eq!(handled, emitted, "{summary}");
    for stage in summary.stages() {
        assert_eq!((stage.discarded, stage.lost), (0, 0), "{summary}");
        assert!(stage.reason.is_normal(), "{summary}");
    }
}

/// After a drain every event that was emitted has been handled, whatever the edges say about ends.
#[tokio::test]
async fn a_drain_loses_nothing() {
    for round in 0..10 {
        let app = pipeline! {
            source = Counter::endless();
            other = from_iter(0..);
            twice = flat_map(|n: u64| [n, n]), replicas: 3;
            pass = map(|n: u64| n);
            sink = for_each(|_: u64| ()), replicas: 2;
            slow = Collect::<u64>::new();
            { source, other } => twice [max_demand: 7] => { pass [cancel: temporary, max_demand: 100], slow };
            pass => sink [cancel: permanent, max_demand: 3];
        }
        .start()
        .unwrap();
        for _ in 0..round * 10 {
            tokio::task::yield_now().await;
        }
        let summary = app.drain().await.unwrap();
        let emitted = ["source", "other"].map(|name| summary.stage(name).unwrap().events_out);
        let sinks = ["sink[0]", "sink[1]", "slow"];
        assert_nothing_is_left(&summary, 2 * emitted.into_iter().sum::<u64>(), &sinks);
    }
}

/// Has accepted work that nobody has asked for.
#[stage(producer)]
struct Accepted {
    work: VecDeque<u64>,
    draining: bool,
}

impl Producer for Accepted {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all(self.work.drain(..demand.min(self.work.len())));
        if self.draining && self.work.is_empty() {
            cx.finish();
        }
        Ok(())
    }

    async fn on_drain(&mut self, cx: &mut Context<Self>) -> Result {
        self.draining = true;
        if self.work.is_empty() {
            cx.finish();
        }
        Ok(())
    }
}

/// A producer may finish later than it is drained.
#[tokio::test(start_paused = true)]
async fn a_producer_drains_what_it_has_accepted() {
    let (mut probe, sink) = ConsumerProbe::new();
    let app = pipeline! {
        source = Accepted { work: (0..10).collect(), draining: false };
        sink = sink;
        source => sink;
    }
    .start()
    .unwrap();
    probe.ask(4).await;
    let drained = tokio::spawn(app.drain());
    probe.expect_events(0..4).await;
    assert!(!drained.is_finished());
    probe.ask(10).await;
    probe.expect_events(4..10).await;
    assert_eq!(drained.await.unwrap().unwrap().stage("source").unwrap().events_out, 10);
}

/// What a sink has taken in is emitted, and it takes no more.
#[tokio::test(start_paused = true)]
async fn a_drained_sink_gives_what_it_took() {
    let ((mut probe, sink), (mut numbers, source)) = (ConsumerProbe::new(), from_sink(100));
    let app = pipeline! { source = source; sink = sink; source => sink; }.start().unwrap();
    for n in 0..50 {
        numbers.send(n).await.unwrap();
    }
    let drained = tokio::spawn(app.drain());
    settle().await;
    assert!(numbers.send(50).await.is_err());
    probe.ask(100).await;
    probe.expect_events(0..50).await;
    assert!(drained.await.unwrap().is_ok());
}

/// What is accumulated goes out; a stage that would be begun anew for ever is not.
#[tokio::test(start_paused = true)]
async fn a_drain_ends_what_would_not_end() {
    #[stage(producer, demand = accumulate)]
    struct Accumulates;

    impl Producer for Accumulates {
        type Event = u64;

        async fn init(&mut self, cx: &mut Context<Self>) -> Result {
            cx.emit_all(0..5);
            Ok(())
        }

        async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
            Ok(())
        }
    }

    let sink = Collect::<u64>::new();
    let batches = sink.batches.clone();
    let app = pipeline! {
        source = Accumulates, restart: always;
        sink = sink;
        source => sink;
    }
    .start()
    .unwrap();
    settle().await;
    assert!(batches.is_empty());
    let summary = app.drain().await.unwrap();
    assert_eq!(batches.take().concat(), [0, 1, 2, 3, 4]);
    assert_nothing_is_left(&summary, 5, &["sink"]);
}

/// Fails at the event 3, once.
#[stage(consumer)]
struct FailsOnce(Log<u64>);

impl Consumer for FailsOnce {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match events.contains(&3) {
            true => Err(genstage::Error::msg("three")),
            false => {
                events.drain().for_each(|event| self.0.push(event));
                Ok(())
            }
        }
    }
}

/// A stage that is begun anew while it is drained handles the rest.
#[tokio::test(start_paused = true)]
async fn a_drain_survives_a_restart() {
    let log = Log::new();
    let noted = log.clone();
    let app = pipeline! {
        source = from_iter(0..);
        sink = FailsOnce(noted.clone()), restart: on_failure;
        source => sink [max_demand: 6, min_demand: 4];
    }
    .start()
    .unwrap();
    settle().await;
    let summary = app.drain().await.unwrap();
    assert_eq!(log.take(), [0, 1, 4, 5]);
    let [source, sink] = ["source", "sink"].map(|name| summary.stage(name).unwrap());
    assert_eq!((source.events_out, sink.lost, sink.restarts), (6, 2, 1));
}

/// Takes a second for a batch.
#[stage(consumer)]
struct Slow(Log<u64>);

impl Consumer for Slow {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        tokio::time::sleep(Duration::from_secs(1)).await;
        events.drain().for_each(|event| self.0.push(event));
        Ok(())
    }
}

/// So does one that the strategy rebuilds with another: its next state handles the rest.
#[tokio::test(start_paused = true)]
async fn a_drain_survives_the_restart_of_another_stage() {
    let (failing, slow) = (Log::new(), Log::new());
    let (noted, notes) = (failing.clone(), slow.clone());
    let app = pipeline! {
        strategy: one_for_all;
        fails = FailsOnce(noted.clone()), restart: on_failure;
        slow = Slow(notes.clone()), restart: on_failure;
        source = Accepted { work: (0..10).collect(), draining: false };
        from_iter(0..) => fails [max_demand: 6, min_demand: 4];
        source => slow [max_demand: 2, min_demand: 0];
    }
    .start()
    .unwrap();
    settle().await;
    let summary = app.drain().await.unwrap();
    assert_eq!((failing.take(), slow.take()), (vec![0, 1, 4, 5], (0..10).collect()));
    let slow = summary.stage("slow").unwrap();
    assert_eq!((slow.events_in, slow.discarded, slow.lost, slow.restarts), (10, 0, 0, 1));
    assert!(slow.reason.is_normal(), "{summary}");
}

/// Never comes back.
#[stage(consumer)]
struct Hangs(Log<String>);

impl Consumer for Hangs {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        std::future::pending().await
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.0.push(reason.to_string());
    }
}

/// A handler that hangs is cut off when the time is up, and what that cost is said.
#[tokio::test(start_paused = true)]
async fn a_drain_with_a_hung_handler_is_cut_off() {
    let log = Log::new();
    let hangs = Hangs(log.clone());
    let app = pipeline! {
        source = from_iter(0..);
        hangs = hangs;
        fine = for_each(|_: u64| ());
        source => { hangs [max_demand: 10, min_demand: 5], fine [max_demand: 10] };
    }
    .start()
    .unwrap();
    settle_a_little().await;
    let failure = app.drain_within(Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the pipeline did not end within 5s: stage `hangs` was cut off, with 5 events discarded and 5 lost"
    );
    assert_eq!(log.take(), ["shutdown"]);
    let Failure::CutOff { summary, .. } = failure else { panic!("{failure}") };
    let [source, hangs, fine] = ["source", "hangs", "fine"].map(|name| summary.stage(name).unwrap());
    assert_eq!(source.events_out, hangs.events_in + hangs.discarded + fine.events_in);
}

/// An endless source is never settled.
async fn settle_a_little() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// A stop discards what is queued, and counts it; the callback that runs is finished.
#[tokio::test(start_paused = true)]
async fn a_stop_finishes_the_callback() {
    let log = Log::new();
    let noted = log.clone();
    let app = pipeline! {
        source = from_iter(0..);
        sink = FailsOnce(noted);
        source => sink [max_demand: 2, min_demand: 0];
    }
    .start()
    .unwrap();
    settle().await;
    let summary = app.stop(Reason::Normal).await.unwrap();
    assert_eq!(log.take(), [0, 1]);
    let [source, sink] = ["source", "sink"].map(|name| summary.stage(name).unwrap());
    assert_eq!((sink.events_in, sink.discarded, sink.lost), (2, source.events_out - 2, 0));
    assert!(sink.reason.is_normal());

    let app =
        pipeline! { sink = Collect::<u64>::new(); from_stream(futures_util::stream::pending()) => sink; };
    let failure = app.start().unwrap().stop(Reason::custom("enough")).await.unwrap_err();
    assert!(failure.to_string().ends_with("failed: enough"), "{failure}");
}

/// An abort drops the callback at its `await`, and waits until `terminate` has run.
#[tokio::test(start_paused = true)]
async fn an_abort_waits_for_nothing_but_terminate() {
    let log = Log::new();
    let hangs = Hangs(log.clone());
    let app = pipeline! { hangs = hangs; from_iter(0..10) => hangs [max_demand: 4]; }.start().unwrap();
    settle().await;
    let summary = app.abort().await.unwrap();
    assert_eq!((log.take(), summary.stage("hangs").unwrap().lost), (vec!["shutdown".to_owned()], 2));
}

/// A signal drains; a pipeline that ends by itself does not wait for one.
#[tokio::test(start_paused = true)]
async fn until_a_signal() {
    let sink = Collect::<u64>::new();
    let batches = sink.batches.clone();
    let wait = Duration::from_secs(3);
    let ticks = futures_util::stream::unfold(0u64, |n| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((n, n + 1))
    });
    let app = pipeline! { source = from_stream(ticks); sink = sink; source => sink; };
    let summary = app.run_until(tokio::time::sleep(wait + wait / 6)).await.unwrap();
    assert_eq!(batches.take().concat(), [0, 1, 2]);
    assert_nothing_is_left(&summary, 3, &["sink"]);

    let app = pipeline! { from_iter(0..3) => for_each(|_| ()); };
    assert!(app.run_until(std::future::pending::<()>()).await.is_ok());
}
