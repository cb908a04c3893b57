//! The failure of a part is that of all, and names the part; they begin anew as one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe};
use genstage::{Failure, Reason, Summary};

use super::flat;
use crate::stages::{Collect, Counter, Log, Pass};

/// Passes on what comes, but half of the batch with that event, on which it fails.
#[stage(producer_consumer)]
struct Fails {
    at: u64,
    panics: bool,
}

impl ProducerConsumer for Fails {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        let half = events.len() / 2;
        if !events.contains(&self.at) {
            cx.emit_all(events.drain());
            return Ok(());
        }
        cx.emit_all(events.drain().take(half));
        match self.panics {
            true => panic!("at {}", self.at),
            false => Err(genstage::Error::msg("no")),
        }
    }
}

fn failed(failure: Failure) -> (String, Reason, Summary) {
    match failure {
        Failure::Stage { stage, reason, summary } => (stage.to_string(), reason, summary),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_failure_names_the_part() {
    for panics in [false, true] {
        let app = pipeline! {
            pass = Pass::new();
            fails = Fails { at: 25, panics };
            Counter::below(100) => pass [max_demand: 20] |> fails |> map(|n| n) => for_each(drop);
        };
        let (stage, reason, summary) = failed(app.run().await.unwrap_err());
        assert_eq!(stage, "fails");
        assert_eq!(matches!(reason, Reason::Panic(_)), panics);
        let group = summary.stage("pass |> fails |> map").unwrap();
        assert_eq!((group.events_in, group.events_out), (30, 20));
        assert_eq!(group.lost, 15, "the batch of ten, and the five that the call had emitted");
    }
}

/// Of a source, what it had emitted is lost, whichever part had it; what was not the call's is not.
#[tokio::test(start_paused = true)]
async fn what_a_source_had_emitted_is_lost() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let app = pipeline! {
        source = source;
        sink = sink;
        source |> Fails::at(5) => sink;
    }
    .start()
    .unwrap();
    down.ask(4).await;
    up.emit([1, 2]).await;
    down.expect_events([1, 2]).await;
    up.emit([3, 4, 5, 6]).await;
    let (stage, _, summary) = failed(app.join().await.unwrap_err());
    let group = summary.stage("source |> at").unwrap();
    assert_eq!((&*stage, group.events_out, group.lost, group.discarded), ("at", 2, 6, 0));
}

impl Fails {
    fn at(at: u64) -> Self {
        Self { at, panics: false }
    }
}

/// Passes on what comes; notes its instances.
#[stage(producer_consumer)]
struct Instance {
    number: usize,
    notes: Log<String>,
}

impl Instance {
    fn new(name: &str, instances: &Arc<AtomicUsize>, notes: &Log<String>) -> Self {
        let number = instances.fetch_add(1, Ordering::Relaxed);
        notes.push(format!("{name} {number} begins"));
        Self { number, notes: notes.clone() }
    }
}

impl ProducerConsumer for Instance {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.notes.push(format!("{} ends: {reason}", self.number));
    }
}

#[tokio::test(start_paused = true)]
async fn they_begin_anew_as_one_and_neighbours_notice_nothing() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let (instances, notes) = (Arc::new(AtomicUsize::new(0)), Log::new());
    let noted = notes.clone();
    let app = pipeline! {
        source = source;
        first = Instance::new("first", &instances, &noted), restart: on_failure;
        fails = Fails::at(5);
        sink = sink;
        source => first [max_demand: 4, min_demand: 2] |> fails => sink;
    }
    .start()
    .unwrap();
    down.ask(10).await;
    up.emit(0..8).await;
    down.expect_events([0, 1, 2, 3, 6, 7]).await;
    // Four at first, and eight when as many had been handled or lost; of which four had come already.
    up.expect_demand(8).await;
    assert_eq!(notes.take(), ["first 0 begins", "0 ends: no", "first 1 begins"]);
    up.stop(Reason::Normal).await;
    let summary = app.join().await.unwrap();
    let group = summary.stage("first |> fails").unwrap();
    assert_eq!((group.events_in, group.events_out, group.lost, group.restarts), (8, 6, 3, 1));
}

/// A source that is begun anew is asked for what the one before it had not emitted.
#[tokio::test]
async fn a_source_begun_anew_is_asked_for_the_rest() {
    let (sink, next) = (Collect::new(), Arc::new(AtomicUsize::new(0)));
    let batches = sink.batches.clone();
    let summary = pipeline! {
        source = Shared { next: next.clone() }, restart: on_failure;
        fails = Fails::at(42), restart: on_failure;
        sink = sink;
        source |> fails => sink [max_demand: 10];
    }
    .run()
    .await
    .unwrap();
    let (all, group) = (flat(&batches), summary.stage("source |> fails").unwrap());
    assert_eq!(group.restarts, 1);
    assert!(all.is_sorted() && !all.contains(&42), "{all:?}");
    // Each is delivered, or was in the batch that is lost; half of which the call had emitted, and that counts, too.
    let missing = 100 - all.len() as u64;
    assert_eq!((group.events_out, group.lost, group.discarded), (all.len() as u64, missing + missing / 2, 0));
}

/// Emits what is asked for, up to 100, and goes on where the last one stopped.
#[stage(producer)]
struct Shared {
    next: Arc<AtomicUsize>,
}

impl Producer for Shared {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        for _ in 0..demand {
            match self.next.fetch_add(1, Ordering::Relaxed) {
                n if n < 100 => cx.emit(n as u64),
                _ => cx.finish(),
            }
        }
        Ok(())
    }
}
