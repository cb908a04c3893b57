//! What every engine on another machine has to pass.

#![expect(clippy::panic, reason = "what a test expects and does not get is a panic")]

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::prelude::*;
use crate::remote::{Delivered, Remote, from_remote};
use crate::{Demand, Reason, Running, Subscription};

/// For how long something that has to happen is waited for, before the test fails. Engines that are tested have a longer
/// [patience](Remote::patience): what only that would bring back has got stuck.
const LONG: Duration = Duration::from_secs(30);

/// An engine under test: one exchange of it, with nothing in it.
pub trait Engine {
    /// What is under test.
    type Remote: Remote<Event = u64>;

    /// Puts events in, from somewhere else.
    fn put(&mut self, events: Vec<u64>) -> impl Future<Output = ()>;

    /// Another source of its events: all sources share them.
    fn remote(&mut self) -> impl Future<Output = Self::Remote>;

    /// How many events it has that are not done with.
    fn left(&mut self) -> impl Future<Output = usize>;
}

/// Has an engine do everything that a source of events promises. `make` makes a new one each time.
///
/// # Panics
///
/// If the engine does not keep a promise.
pub async fn check_engine<E: Engine>(mut make: impl AsyncFnMut() -> E) {
    events_that_are_done_with_come_once(make().await).await;
    what_is_not_wanted_stays(make().await).await;
    what_has_failed_comes_again(make().await).await;
    what_a_stopped_source_had_comes_elsewhere(make().await).await;
    requests_of_a_stopped_source_are_void(make().await).await;
    a_drain_settles_what_has_been_handed_out(make().await).await;
}

/// Hands what comes to the test, asking for as much as it is told to, or by its window.
#[stage(consumer)]
struct Hands {
    to: UnboundedSender<Delivered<u64>>,
    ask: Option<usize>,
}

impl Consumer for Hands {
    type Event = Delivered<u64>;

    async fn handle_subscribe(&mut self, producer: &Subscription, cx: &mut Context<Self>) -> Result<Demand> {
        let Some(events) = self.ask else { return Ok(Demand::Automatic) };
        cx.ask(producer, events);
        Ok(Demand::Manual)
    }

    async fn handle_events(&mut self, events: &mut Batch<Delivered<u64>>, _: &mut Context<Self>) -> Result {
        // What the test does not take any more is dropped, and so has failed.
        events.drain().for_each(|event| drop(self.to.send(event)));
        Ok(())
    }
}

/// A source that runs, and what comes of it.
struct Source {
    running: Running<()>,
    events: UnboundedReceiver<Delivered<u64>>,
}

impl Source {
    /// One whose consumer asks once for so many; without that, for ever.
    async fn begin(engine: &mut impl Engine, ask: Option<usize>) -> Self {
        let (to, events) = unbounded_channel();
        let remote = engine.remote().await;
        let (pipeline, _) = pipeline! {
            source = from_remote(remote);
            hands = Hands { to, ask };
            source => hands [max_demand: 10];
        }
        .into_parts();
        let running = pipeline.start().unwrap_or_else(|failure| panic!("{failure}"));
        Self { running, events }
    }

    async fn next(&mut self) -> Delivered<u64> {
        match timeout(LONG, self.events.recv()).await {
            Ok(Some(event)) => event,
            Ok(None) => panic!("the source has ended"),
            Err(_) => panic!("nothing has come for {LONG:?}"),
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Delivered<u64>> {
        let mut events = vec![];
        while events.len() < count {
            events.push(self.next().await);
        }
        events
    }

    /// What has come and nobody has looked at.
    fn rest(&mut self) -> usize {
        std::iter::from_fn(|| self.events.try_recv().ok()).count()
    }
}

async fn ends(ended: impl Future<Output = Result<crate::Summary, crate::Failure>>) {
    match timeout(LONG, ended).await {
        Ok(Ok(_)) => {}
        Ok(Err(failure)) => panic!("{failure}"),
        Err(_) => panic!("it has not ended for {LONG:?}"),
    }
}

async fn put(engine: &mut impl Engine, events: std::ops::Range<u64>) {
    engine.put(events.collect()).await;
}

async fn is_empty(engine: &mut impl Engine) {
    let emptied = async {
        while engine.left().await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(LONG, emptied).await.is_err() {
        panic!("{} events are left", engine.left().await);
    }
}

fn numbers(events: &[Delivered<u64>]) -> Vec<u64> {
    events.iter().map(|event| **event).collect()
}

async fn events_that_are_done_with_come_once(mut engine: impl Engine) {
    put(&mut engine, 0..500).await;
    let mut source = Source::begin(&mut engine, None).await;
    for expected in 0..500 {
        let event = source.next().await;
        assert_eq!(*event, expected, "in the order in which they were put in");
        event.done();
    }
    is_empty(&mut engine).await;
    assert_eq!(source.rest(), 0, "events that have come twice");
    ends(source.running.drain()).await;
}

async fn what_is_not_wanted_stays(mut engine: impl Engine) {
    put(&mut engine, 0..100).await;
    let mut few = Source::begin(&mut engine, Some(7)).await;
    let first = few.take(7).await;
    // Whoever asks has all the others.
    let mut rest = Source::begin(&mut engine, None).await;
    let others = rest.take(93).await;
    assert_eq!(few.rest() + rest.rest(), 0, "more than was asked for");
    let mut all = [numbers(&first), numbers(&others)].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..100));
    first.into_iter().chain(others).for_each(Delivered::done);
    is_empty(&mut engine).await;
    ends(few.running.drain()).await;
    ends(rest.running.drain()).await;
}

async fn what_has_failed_comes_again(mut engine: impl Engine) {
    put(&mut engine, 0..20).await;
    let mut source = Source::begin(&mut engine, None).await;
    let mut times: HashMap<u64, usize> = HashMap::new();
    for _ in 0..20 + 14 {
        let event = source.next().await;
        let time = times.entry(*event).or_default();
        *time += 1;
        match (*event % 3, *time) {
            (0, 1) => event.failed("the first time"),
            (1, 1) => drop(event),
            _ => event.done(),
        }
    }
    is_empty(&mut engine).await;
    assert_eq!(source.rest(), 0);
    assert!((0..20).all(|event| times[&event] == if event % 3 == 2 { 1 } else { 2 }), "{times:?}");
    ends(source.running.drain()).await;
}

async fn what_a_stopped_source_had_comes_elsewhere(mut engine: impl Engine) {
    put(&mut engine, 0..50).await;
    let mut first = Source::begin(&mut engine, None).await;
    let done = first.take(5).await;
    let done_with = numbers(&done);
    done.into_iter().for_each(Delivered::done);
    drop(first.events);
    ends(first.running.stop(Reason::Shutdown)).await;
    let mut second = Source::begin(&mut engine, None).await;
    for _ in 0..45 {
        let event = second.next().await;
        assert!(!done_with.contains(&event), "{} comes again", *event);
        event.done();
    }
    is_empty(&mut engine).await;
    ends(second.running.drain()).await;
}

/// The source has asked for more than there is. What comes later is for others.
async fn requests_of_a_stopped_source_are_void(mut engine: impl Engine) {
    put(&mut engine, 0..3).await;
    let mut first = Source::begin(&mut engine, None).await;
    first.take(3).await.into_iter().for_each(Delivered::done);
    let (stopped, mut second) = tokio::join!(ends(first.running.stop(Reason::Shutdown)), async {
        put(&mut engine, 3..40).await;
        Source::begin(&mut engine, None).await
    });
    let () = stopped;
    let mut events = numbers(&second.take(37).await);
    events.sort_unstable();
    assert!(events.into_iter().eq(3..40));
}

async fn a_drain_settles_what_has_been_handed_out(mut engine: impl Engine) {
    put(&mut engine, 0..30).await;
    let mut source = Source::begin(&mut engine, None).await;
    let first = source.take(10).await;
    let drained = tokio::spawn(source.running.drain());
    // It waits for them.
    first.into_iter().for_each(Delivered::done);
    let mut done = 10;
    while let Some(event) = source.events.recv().await {
        event.done();
        done += 1;
    }
    ends(async { drained.await.unwrap_or_else(|error| panic!("{error}")) }).await;
    assert_eq!(engine.left().await, 30 - done, "all that was handed out is done with");
}
