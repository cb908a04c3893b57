//! A million events through a stage that fails every thousandth batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

use genstage::Summary;
use genstage::prelude::*;

use crate::fault::How;

const EVENTS: usize = 1_000_000;
const BATCH: usize = 8;

/// What has become of each event.
#[derive(Clone)]
struct Fates(Arc<[AtomicU8]>);

const LOST: u8 = 1;
const DELIVERED: u8 = 2;

impl Fates {
    fn new() -> Self {
        Self((0..EVENTS).map(|_| AtomicU8::new(0)).collect())
    }

    /// An event's fate is sealed, once only.
    fn seal(&self, event: usize, fate: u8) {
        assert_eq!(self.0[event].swap(fate, Relaxed), 0, "a second time: {event}");
    }

    fn count(&self, fate: u8) -> u64 {
        self.0.iter().filter(|other| other.load(Relaxed) == fate).count() as u64
    }
}

/// Passes on what comes, but fails every thousandth batch, which it has emitted by then, by turns with an error and a panic.
#[stage(producer_consumer)]
struct Fails {
    fates: Fates,
    batches: Arc<AtomicUsize>,
}

impl ProducerConsumer for Fails {
    type Input = usize;
    type Output = usize;

    async fn handle_events(&mut self, events: &mut Batch<usize>, cx: &mut Context<Self>) -> Result {
        let batch = self.batches.fetch_add(1, Relaxed) + 1;
        cx.emit_all(events.iter().copied());
        if !batch.is_multiple_of(1000) {
            return Ok(());
        }
        events.iter().for_each(|event| self.fates.seal(*event, LOST));
        How::ALL[batch / 1000 % 2].strike()
    }
}

async fn run(fates: &Fates, batches: &Arc<AtomicUsize>) -> Summary {
    let ((fails, batches), seals) = ((fates.clone(), batches.clone()), fates.clone());
    pipeline! {
        max_restarts: usize::MAX;
        source = from_iter(0..EVENTS);
        fails = Fails { fates: fails.clone(), batches: Arc::clone(&batches) }, restart: on_failure;
        sink = for_each(move |event: usize| seals.seal(event, DELIVERED));
        source => fails [max_demand: 2 * BATCH, min_demand: BATCH] => sink;
    }
    .run()
    .await
    .unwrap()
}

/// Each of them is delivered, or lost with a batch that failed; and the summary counts both.
#[tokio::test]
async fn each_is_delivered_or_lost() {
    let (fates, batches) = (Fates::new(), Arc::default());
    let summary = run(&fates, &batches).await;
    let [source, fails, sink] = ["source", "fails", "sink"].map(|name| summary.stage(name).unwrap());
    let (lost, delivered) = (fates.count(LOST), fates.count(DELIVERED));
    assert_eq!(lost + delivered, EVENTS as u64);
    assert_eq!((source.events_out, source.discarded, source.lost), (EVENTS as u64, 0, 0));
    assert_eq!((fails.events_in, fails.restarts), (EVENTS as u64, batches.load(Relaxed) as u64 / 1000));
    assert!(fails.restarts >= 100, "{summary}");
    // Counted as they came in, and as they were emitted.
    assert_eq!((fails.discarded, fails.lost), (0, 2 * lost));
    assert_eq!((fails.events_out, sink.events_in, sink.lost), (delivered, delivered, 0));
}
