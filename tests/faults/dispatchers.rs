//! Producers under each dispatcher, whose consumers come to a bad end in the middle of a batch.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Sender, channel};

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{
    Cancel, CancelKind, Cancelled, ConsumerKey, Dispatcher, Failure, NotDispatched, Outbox, Subscribe,
    Summary,
};
use genstage_tests::ledger::{Copied, Ledger, assert_balanced};
use tokio::runtime::{Builder, Runtime};

use crate::fault::{Fault, How, Point};

/// How many events there are.
const EVENTS: u64 = 40;

/// Numbers, for whoever wants them.
struct Numbers {
    makes: Ledger,
    next: u64,
    finishes: bool,
    cancelled: Sender<(CancelKind, String)>,
}

macro_rules! sources {
    ($($name:ident ($($option:tt)*);)*) => {$(
        #[stage(producer, $($option)*)]
        struct $name(Numbers);

        impl Producer for $name {
            type Event = Copied;

            async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
                let Numbers { makes, next, finishes, .. } = &mut self.0;
                let end = EVENTS.min(next.saturating_add(demand as u64));
                cx.emit_all((*next..end).map(|number| Copied(makes.event(number))));
                *next = end;
                if end == EVENTS && *finishes {
                    cx.finish();
                }
                Ok(())
            }

            async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
                // The test may have seen enough.
                let _ = self.0.cancelled.send((cancelled.kind, cancelled.reason.to_string()));
                Ok(())
            }
        }
    )*};
}

sources! {
    ToMost(dispatcher = demand);
    ToAll(dispatcher = broadcast);
    ByParity(dispatcher = partition(2, index = |event: &Copied| Some(usize::from(event.0.number() % 2 == 1))));
    InTurn(dispatcher = Turns::default());
}

/// A dispatcher of one's own: one event for each consumer in turn, as long as it wants any.
#[derive(Default)]
struct Turns(VecDeque<(ConsumerKey, usize)>);

impl Dispatcher<Copied> for Turns {
    type Options = ();

    fn subscribe(&mut self, consumer: ConsumerKey, (): ()) -> Result<(), NotDispatched> {
        self.0.push_back((consumer, 0));
        Ok(())
    }

    fn cancel(&mut self, consumer: ConsumerKey, _: &mut Outbox<Copied>) {
        self.0.retain(|(other, _)| *other != consumer);
    }

    fn ask(&mut self, consumer: ConsumerKey, demand: usize, _: &mut Outbox<Copied>) {
        self.0.iter_mut().filter(|(other, _)| *other == consumer).for_each(|(_, wanted)| *wanted += demand);
    }

    fn wanted(&self) -> usize {
        self.0.iter().map(|(_, wanted)| wanted).sum()
    }

    fn dispatch(&mut self, events: &mut Vec<Copied>, count: usize, out: &mut Outbox<Copied>) {
        for event in events.drain(..count) {
            while let Some((consumer, wanted)) = self.0.pop_front() {
                self.0.push_back((consumer, wanted.saturating_sub(1)));
                if wanted > 0 {
                    out.send(consumer, vec![event]);
                    break;
                }
            }
        }
    }
}

/// Fails, or hangs, when it has had a half of a batch.
#[stage(consumer)]
#[derive(Clone)]
struct Taker {
    fault: Fault,
    hangs: bool,
    /// What it has got through with, and who it is.
    seen: Sender<(String, u64)>,
}

impl Consumer for Taker {
    type Event = Copied;

    async fn handle_events(&mut self, events: &mut Batch<Copied>, cx: &mut Context<Self>) -> Result {
        let half = events.len() / 2;
        let mut events = events.drain();
        let first: Vec<_> = events.by_ref().take(half).collect();
        self.fault.reach(Point::Events)?;
        if self.hangs {
            std::future::pending().await
        }
        for Copied(event) in first.into_iter().chain(events) {
            event.deliver();
            let _ = self.seen.send((cx.name().to_owned(), event.number()));
        }
        Ok(())
    }
}

/// Runs a pipeline of two consumers, one of which fails in a batch; its end, what became of the events, and who saw which.
macro_rules! run {
    ($source:ident, $how:expr $(, $restart:tt)*) => {{
        let ((seen, sees), (cancelled, _), makes) = (channel(), channel(), Ledger::default());
        let source = $source(Numbers { makes: makes.clone(), next: 0, finishes: true, cancelled });
        let taker = Taker { fault: Fault::at(Point::Events, $how, 1), hangs: false, seen };
        let pipeline = pipeline! {
            source = source;
            taker = taker.clone(), replicas: 2 $(, restart: $restart)*;
            source => taker [max_demand: 6, min_demand: 2];
        };
        (pipeline.run().await, makes, sees.try_iter().collect::<Vec<_>>())
    }};
}

/// Everything that is so however the pipeline ends; how many events were lost.
fn check(summary: &Summary, makes: &Ledger, seen: &[(String, u64)]) -> u64 {
    assert_balanced(summary, &[makes]);
    let [source, one, other] = ["source", "taker[0]", "taker[1]"].map(|name| summary.stage(name).unwrap());
    assert_eq!(makes.made(), source.events_out + source.discarded + source.lost, "{summary}");
    let takers = [one, other];
    assert_eq!(source.events_out, takers.map(|taker| taker.events_in + taker.discarded).iter().sum::<u64>());
    for taker in takers {
        let own: Vec<_> = seen.iter().filter(|(name, _)| **name == *taker.name).map(|(_, n)| *n).collect();
        assert!(own.is_sorted_by(|one, next| one < next), "{} saw {own:?}", taker.name);
        assert_eq!(own.len() as u64, taker.events_in - taker.lost, "{summary}");
    }
    takers.map(|taker| taker.lost).iter().sum()
}

/// All but the batch of the callback that failed is delivered, to as many as are to have it.
fn check_restarted(ended: Result<Summary, Failure>, makes: &Ledger, seen: &[(String, u64)], each: u64) {
    let summary = ended.unwrap();
    let lost = check(&summary, makes, seen);
    assert!((1..=4).contains(&lost), "{summary}");
    let mut count = BTreeMap::<u64, u64>::new();
    seen.iter().for_each(|(_, number)| *count.entry(*number).or_default() += 1);
    let missing: u64 = (0..EVENTS).map(|number| each - count.get(&number).unwrap_or(&0)).sum();
    assert_eq!(missing, lost, "saw {count:?}, in\n{summary}");
    assert_eq!(summary.stages().iter().map(|stage| stage.restarts).sum::<u64>(), 1);
}

fn check_failed(ended: Result<Summary, Failure>, makes: &Ledger, seen: &[(String, u64)], how: How) {
    let Err(Failure::Stage { stage, reason, summary }) = ended else { panic!("it goes on") };
    assert!(stage.starts_with("taker["), "{stage}");
    assert_eq!(reason.to_string(), how.reason());
    assert!((1..=4).contains(&check(&summary, makes, seen)), "{summary}");
}

macro_rules! in_a_batch {
    ($($test:ident: $source:ident, $each:expr;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $test() {
            for how in How::ALL {
                let (ended, makes, seen) = run!($source, how, on_failure);
                check_restarted(ended, &makes, &seen, $each);
                let (ended, makes, seen) = run!($source, how);
                check_failed(ended, &makes, &seen, how);
            }
        }
    )*};
}

in_a_batch! {
    a_consumer_fails_in_a_batch_under_demand: ToMost, 1;
    a_consumer_fails_in_a_batch_under_broadcast: ToAll, 2;
    a_consumer_fails_in_a_batch_under_partition: ByParity, 1;
    a_consumer_fails_in_a_batch_under_ones_own: InTurn, 1;
}

/// A runtime of its own, in which things happen only while the test looks.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// A consumer is killed, with the runtime that it is in, while it has a batch: that, and what waits in front of it, is gone; the
/// producer learns of it, and the others, or whoever comes after it, get all the rest.
macro_rules! killed {
    ($($test:ident: $source:ident $(, .$partition:ident)?;)*) => {$(
        #[test]
        fn $test() {
            let (here, there) = (runtime(), runtime());
            let ((seen, sees), (cancelled, cancels), makes) = (channel(), channel(), Ledger::default());
            let source = Numbers { makes: makes.clone(), next: 0, finishes: false, cancelled };
            let source = here.block_on(async { $source(source).spawn() });
            let taker = |name: &'static str, hangs| {
                let taker = Taker { fault: Fault::default(), hangs, seen: seen.clone() };
                async move { taker.spawn_as(name) }
            };
            let options = || Subscribe::new().max_demand(6).min_demand(2).cancel(Cancel::Temporary);
            let doomed = there.block_on(taker("doomed", true));
            there.block_on(doomed.subscribe(&source, options()$(.$partition(0))?)).unwrap();
            let survivor = here.block_on(taker("survivor", false));
            here.block_on(survivor.subscribe(&source, options()$(.$partition(1))?)).unwrap();
            here.block_on(settle());
            there.block_on(settle());

            let before = here.block_on(source.snapshot()).unwrap();
            let held = before.events_out - here.block_on(survivor.snapshot()).unwrap().events_in;
            assert!(held > 4, "more than a batch");
            assert_eq!(makes.dropped(), 0);
            drop(there);
            here.block_on(settle());
            assert_eq!(cancels.try_iter().collect::<Vec<_>>(), [(CancelKind::Down, "killed".to_owned())]);
            assert_eq!(makes.dropped(), held);

            let heir = here.block_on(taker("heir", false));
            here.block_on(heir.subscribe(&source, options()$(.$partition(0))?)).unwrap();
            here.block_on(settle());
            assert_eq!((makes.delivered(), makes.dropped(), makes.alive()), (makes.made() - held, held, 0));
            let mut numbers: Vec<_> = sees.try_iter().map(|(_, number)| number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let delivered = makes.delivered();
            assert_eq!(numbers.len() as u64, delivered, "each once");
            assert_eq!(numbers.last(), Some(&(EVENTS - 1)));
        }
    )*};
}

killed! {
    a_consumer_is_killed_in_a_batch_under_demand: ToMost;
    a_consumer_is_killed_in_a_batch_under_broadcast: ToAll;
    a_consumer_is_killed_in_a_batch_under_partition: ByParity, .partition;
    a_consumer_is_killed_in_a_batch_under_ones_own: InTurn;
}
