//! Sources on other machines; the machine is in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use genstage::Reason;
use genstage::prelude::*;
use genstage::remote::{Delivered, Delivery, Outcome, Remote, Settled, from_remote};
use genstage::testing::{ConsumerProbe, Engine, check_engine, settle};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::stages::{Collect, Log};

/// An engine that several sources share. It hands events out in twos, if `pairs`.
#[derive(Clone, Default)]
struct Memory {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    pairs: bool,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<u64>,
    /// By their receipts.
    unsettled: HashMap<u64, Vec<u64>>,
    receipts: u64,
    told: Vec<Outcome>,
}

struct Session {
    memory: Memory,
    wanted: usize,
    stopped: bool,
}

impl Memory {
    fn session(&self) -> Session {
        Session { memory: self.clone(), wanted: 0, stopped: false }
    }

    fn told(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.state.lock().unwrap().told)
    }
}

impl Engine for Memory {
    type Remote = Session;

    async fn put(&mut self, events: Vec<u64>) {
        self.state.lock().unwrap().waiting.extend(events);
        self.changed.notify_waiters();
    }

    async fn remote(&mut self) -> Session {
        self.session()
    }

    async fn left(&mut self) -> usize {
        let state = self.state.lock().unwrap();
        state.waiting.len() + state.unsettled.values().map(Vec::len).sum::<usize>()
    }
}

impl Session {
    fn take(&mut self) -> Option<Delivery<u64, u64>> {
        let mut state = self.memory.state.lock().unwrap();
        let most = if self.memory.pairs { 2 } else { 1 };
        let count = self.wanted.min(state.waiting.len()).min(most);
        self.wanted -= count;
        let events: Vec<_> = state.waiting.drain(..count).collect();
        state.receipts += 1;
        let receipt = state.receipts;
        let is_any = !events.is_empty();
        is_any.then(|| {
            state.unsettled.insert(receipt, events.clone());
            Delivery { events, receipt }
        })
    }
}

impl Remote for Session {
    type Event = u64;
    type Receipt = u64;

    async fn request(&mut self, events: usize) -> Result {
        self.wanted = self.wanted.saturating_add(events);
        Ok(())
    }

    async fn receive(&mut self) -> Result<Option<Delivery<u64, u64>>> {
        let memory = self.memory.clone();
        loop {
            let changed = memory.changed.notified();
            if self.stopped {
                return Ok(None);
            }
            let delivery = self.take();
            if delivery.is_some() {
                return Ok(delivery);
            }
            changed.await;
        }
    }

    async fn settle(&mut self, settled: &mut VecDeque<Settled<u64>>) -> Result {
        for Settled { receipt, outcome } in settled.drain(..) {
            let mut state = self.memory.state.lock().unwrap();
            state.told.push(outcome.clone());
            match outcome {
                Outcome::InProgress => continue,
                Outcome::Done => drop(state.unsettled.remove(&receipt)),
                _ => {
                    let again = state.unsettled.remove(&receipt).unwrap_or_default();
                    state.waiting.extend(again);
                }
            }
            drop(state);
            self.memory.changed.notify_waiters();
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result {
        self.stopped = true;
        Ok(())
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

#[tokio::test(start_paused = true)]
async fn the_engine_in_memory_passes() {
    check_engine(async || Memory::default()).await;
}

/// A delivery is settled when all its events are, and whatever was made of them; one failure is that of all.
#[tokio::test(start_paused = true)]
async fn what_came_together_is_settled_together() {
    let mut memory = Memory { pairs: true, ..Memory::default() };
    memory.put((0..4).collect()).await;
    let sink = Collect::new();
    let batches: Log<Vec<Delivered<u64>>> = sink.batches.clone();
    let source = from_remote(memory.session());
    let app = pipeline! { source = source; sink = sink; source => sink; }.start().unwrap();
    settle().await;
    let mut events = batches.take().into_iter().flatten();
    let mut next = || events.next().unwrap();
    next().done();
    settle().await;
    assert_eq!(memory.told(), []);
    let second = next();
    second.in_progress();
    let copy = second.clone();
    second.map(|n| n + 1).done();
    settle().await;
    assert_eq!(memory.told(), [Outcome::InProgress]);
    copy.split().1.done();
    settle().await;
    assert_eq!(memory.told(), [Outcome::Done]);
    next().failed("no");
    next().done();
    settle().await;
    assert_eq!(memory.told(), [Outcome::Failed(Some("no".into()))]);
    drop(batches.take());
    app.drain().await.unwrap();
}

/// One of two events that came together is wanted. The other is in nobody's hands, and not waited for.
#[tokio::test(start_paused = true)]
async fn what_is_buffered_does_not_hold_up_the_end() {
    let mut memory = Memory { pairs: true, ..Memory::default() };
    memory.put(vec![0, 1]).await;
    let (mut wants_one, sink) = ConsumerProbe::new();
    let source = from_remote(memory.session());
    let app = pipeline! { source = source; sink = sink; source => sink; }.start().unwrap();
    wants_one.ask(1).await;
    settle().await;
    let in_hand: Vec<Vec<Delivered<u64>>> = wants_one.batches().await;
    let begin = Instant::now();
    let stopped = tokio::spawn(app.stop(Reason::Shutdown));
    settle().await;
    assert!(!stopped.is_finished(), "what is in hand is waited for");
    drop(in_hand);
    stopped.await.unwrap().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(60), "it has waited for its patience");
    assert_eq!((memory.told().len(), memory.left().await), (1, 2));
}

/// A handler that fails has its events come again; with a restart, to the same stage.
#[tokio::test(start_paused = true)]
async fn what_a_handler_fails_at_comes_again() {
    let mut memory = Memory::default();
    memory.put((0..10).collect()).await;
    let handled = Log::new();
    let log = handled.clone();
    let source = from_remote(memory.session());
    let mut fails = true;
    let app = pipeline! {
        source = source;
        sink = Picky { fails: std::mem::take(&mut fails), handled: log.clone() }, restart: on_failure;
        source => sink [max_demand: 4];
    }
    .start()
    .unwrap();
    settle().await;
    assert_eq!(memory.left().await, 0);
    app.drain().await.unwrap();
    let mut handled = handled.take();
    handled.sort_unstable();
    assert_eq!(handled, (0..10).collect::<Vec<_>>());
}

/// Fails at its third event, once.
#[stage(consumer)]
struct Picky {
    fails: bool,
    handled: Log<u64>,
}

impl Consumer for Picky {
    type Event = Delivered<u64>;

    async fn handle_events(&mut self, events: &mut Batch<Delivered<u64>>, _: &mut Context<Self>) -> Result {
        for event in events.drain() {
            if self.fails && *event == 2 {
                return Err(genstage::Error::msg("picky"));
            }
            self.handled.push(*event);
            event.done();
        }
        Ok(())
    }
}
