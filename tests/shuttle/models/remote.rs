//! Sources of events that other tasks settle, while the source ends.

use std::collections::{BTreeSet, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use genstage::prelude::*;
use genstage::remote::{Delivered, Delivery, Outcome, Remote, Settled, from_remote};
use genstage::{Pipeline, Reason};
use tokio::task::yield_now;

use crate::check;
use crate::ending::a_moment;

/// An engine with as many events as it is asked for, and what it knows of them.
#[derive(Clone, Default)]
struct Engine {
    wanted: usize,
    stopped: bool,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    handed_out: u64,
    unsettled: BTreeSet<u64>,
    failed: usize,
}

impl Remote for Engine {
    type Event = u64;
    type Receipt = u64;

    async fn request(&mut self, events: usize) -> Result {
        assert!(!self.stopped, "nothing is requested any more");
        self.wanted += events;
        Ok(())
    }

    async fn receive(&mut self) -> Result<Option<Delivery<u64, u64>>> {
        yield_now().await;
        match (self.wanted, self.stopped) {
            // Half of what is still to come comes.
            (1.., _) => {
                self.wanted -= if self.stopped { self.wanted.min(2) } else { 1 };
                let mut told = self.told.lock().expect("no panic");
                let receipt = told.handed_out;
                told.handed_out += 1;
                told.unsettled.insert(receipt);
                Ok(Some(Delivery { events: vec![receipt], receipt }))
            }
            (0, true) => Ok(None),
            (0, false) => pending().await,
        }
    }

    async fn settle(&mut self, settled: &mut VecDeque<Settled<u64>>) -> Result {
        while let Some(Settled { receipt, outcome }) = settled.front() {
            yield_now().await;
            let mut told = self.told.lock().expect("no panic");
            assert!(told.unsettled.remove(receipt), "{receipt} is settled twice");
            told.failed += usize::from(*outcome != Outcome::Done);
            settled.pop_front();
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result {
        self.stopped = true;
        Ok(())
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}

/// Each event is settled by a task of its own.
fn pipeline(engine: &Engine) -> Pipeline {
    let engine = engine.clone();
    let (pipeline, _) = pipeline! {
        source = from_remote(engine).max_demand(3);
        settles = for_each(|event: Delivered<u64>| drop(tokio::spawn(settled(event))));
        source => settles [max_demand: 2];
    }
    .into_parts();
    pipeline
}

async fn settled(event: Delivered<u64>) {
    yield_now().await;
    event.done();
}

/// A drain waits for all that was handed out, and all of it is done with.
#[test]
fn a_source_that_is_drained() {
    check(async |_| {
        let engine = Engine::default();
        let running = pipeline(&engine).start().expect("a runtime");
        a_moment().await;
        running.drain().await.expect("nothing fails");
        let told = engine.told.lock().expect("no panic");
        assert_eq!((told.unsettled.len(), told.failed), (0, 0), "of {}", told.handed_out);
    });
}

/// One that is stopped ends whoever settles what and when, and tells nothing twice.
#[test]
fn a_source_that_is_stopped() {
    check(async |_| {
        let engine = Engine::default();
        let running = pipeline(&engine).start().expect("a runtime");
        a_moment().await;
        running.stop(Reason::Shutdown).await.expect("nothing fails");
    });
}
