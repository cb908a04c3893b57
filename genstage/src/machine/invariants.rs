//! The three invariants, over any interleaving of asks, emissions and cancellations, for each dispatcher.
//!
//! 1. No consumer has unmet demand while an event that it may have is held.
//! 2. Events of one subscription keep the order in which they were emitted.
//! 3. Credit is conserved: nobody gets more than it asked for, and the handler is asked for what is wanted and not owed.

use proptest::prelude::*;

use super::testing::{Recorder, pair};
use super::*;
use crate::buffer::{Capacity, Keep};
use crate::dispatch::{BroadcastDispatcher, DemandDispatcher, Partition, PartitionDispatcher, Selector};

const CONSUMERS: usize = 4;

/// What may happen to a producer.
#[derive(Clone, Debug)]
enum Op {
    Ask(usize, usize),
    /// So many events, whatever was asked for.
    Emit(usize),
    Cancel(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => (0..CONSUMERS, 1..20usize).prop_map(|(consumer, n)| Op::Ask(consumer, n)),
        6 => (0..30usize).prop_map(Op::Emit),
        1 => (0..CONSUMERS).prop_map(Op::Cancel),
    ];
    prop::collection::vec(op, 0..80)
}

/// A producer whose handler emits what the script says.
struct Play<D> {
    machine: Machine<u32, u32, D>,
    recorder: Recorder<u32>,
    ids: Vec<SubscriptionId>,
    asked: [usize; CONSUMERS],
    received: [Vec<u32>; CONSUMERS],
    gone: [bool; CONSUMERS],
    emitted: u32,
    owed: usize,
}

impl<D: Dispatcher<u32>> Play<D> {
    fn new(dispatcher: D, options: impl Fn(usize) -> D::Options) -> Self {
        let outlet = Outlet::new(Kind::Producer, dispatcher, Capacity::Unbounded, Keep::Last);
        let (mut machine, recorder, mut ids) =
            (Machine::new(Kind::Producer, outlet), Recorder::default(), vec![]);
        for consumer in 0..CONSUMERS {
            let (ours, _) = pair("producer", "consumer");
            ids.push(ours.id);
            let port = recorder.consumer(consumer, Cancel::Temporary);
            machine.add_consumer(ours, port, options(consumer)).unwrap();
        }
        let (asked, received, gone) = Default::default();
        Self { machine, recorder, ids, asked, received, gone, emitted: 0, owed: 0 }
    }

    /// Plays one operation to its end; how much the handler was asked for.
    fn step(&mut self, op: &Op) -> usize {
        match *op {
            Op::Ask(consumer, n) => {
                self.machine.on_ask(self.ids[consumer], n, vec![]);
                self.asked[consumer] += if self.gone[consumer] { 0 } else { n };
            }
            Op::Emit(n) => {
                let end = self.emitted + n as u32;
                self.machine.emitted(&mut (self.emitted..end).collect());
                self.emitted = end;
                self.owed = self.owed.saturating_sub(n);
            }
            Op::Cancel(consumer) => {
                self.machine.on_consumer_gone(self.ids[consumer], CancelKind::Down, Reason::Normal);
                self.gone[consumer] = true;
            }
        }
        let mut demanded = 0;
        loop {
            match self.machine.next() {
                Step::Wait => break,
                Step::Demand(n) => demanded += n,
                Step::Subscribed(_) | Step::Discarded(_) => {}
                Step::Cancelled(_) => self.machine.cancelled(),
                step => panic!("unexpected {step:?}"),
            }
        }
        self.owed += demanded;
        for (consumer, events) in self.recorder.events() {
            assert!(!events.is_empty(), "defect D12: an empty batch");
            self.received[consumer].extend(events);
        }
        demanded
    }

    /// What a consumer has asked for and not received; nothing if it has gone.
    fn unmet(&self, consumer: usize) -> usize {
        assert!(self.received[consumer].len() <= self.asked[consumer], "more than it asked for");
        if self.gone[consumer] { 0 } else { self.asked[consumer] - self.received[consumer].len() }
    }

    fn buffered(&self) -> usize {
        self.machine.outlet.buffered()
    }
}

fn is_increasing(events: &[u32]) -> bool {
    events.windows(2).all(|pair| pair[0] < pair[1])
}

proptest! {
    #[test]
    fn demand_dispatcher(ops in ops()) {
        let mut play = Play::new(DemandDispatcher::new(), |_| ());
        for op in &ops {
            let owed = if let Op::Emit(n) = op { play.owed.saturating_sub(*n) } else { play.owed };
            let demanded = play.step(op);
            let wanted: usize = (0..CONSUMERS).map(|consumer| play.unmet(consumer)).sum();
            prop_assert!(wanted == 0 || play.buffered() == 0);
            prop_assert_eq!(demanded, wanted.saturating_sub(owed));
            // Every event goes to exactly one consumer, in the order in which it was emitted.
            let sent: usize = play.received.iter().map(Vec::len).sum();
            prop_assert_eq!(sent + play.buffered(), play.emitted as usize);
            prop_assert!(play.received.iter().all(|events| is_increasing(events)));
        }
    }

    #[test]
    fn broadcast_dispatcher(ops in ops()) {
        let mut play = Play::new(BroadcastDispatcher::default(), |_| Selector::default());
        for op in &ops {
            let owed = if let Op::Emit(n) = op { play.owed.saturating_sub(*n) } else { play.owed };
            let demanded = play.step(op);
            let here = (0..CONSUMERS).filter(|&consumer| !play.gone[consumer]);
            let wanted = here.clone().map(|consumer| play.unmet(consumer)).min().unwrap_or(0);
            prop_assert!(wanted == 0 || play.buffered() == 0);
            prop_assert_eq!(demanded, wanted.saturating_sub(owed));
            // Everyone who is still there has got everything that was sent, in order.
            let sent: Vec<u32> = (0..play.emitted - play.buffered() as u32).collect();
            for consumer in here {
                prop_assert_eq!(&play.received[consumer], &sent);
            }
        }
    }

    /// Each consumer wants another part of the events: it gets all of that part, and is not starved by the rest.
    #[test]
    fn broadcast_dispatcher_with_selectors(ops in ops()) {
        let select = |consumer: usize| Selector::new(move |event: &u32| *event as usize % CONSUMERS == consumer);
        let mut play = Play::new(BroadcastDispatcher::default(), select);
        for op in &ops {
            play.step(op);
            let here: Vec<_> = (0..CONSUMERS).filter(|&consumer| !play.gone[consumer]).collect();
            let wanted = here.iter().map(|&consumer| play.unmet(consumer)).min().unwrap_or(0);
            prop_assert!(wanted == 0 || (play.buffered() == 0 && play.owed >= wanted));
            let sent = 0..play.emitted - play.buffered() as u32;
            for consumer in here {
                let selected: Vec<_> = sent.clone().filter(|event| *event as usize % CONSUMERS == consumer).collect();
                prop_assert_eq!(&play.received[consumer], &selected);
            }
        }
    }

    /// Defects D4 and D5: nobody starves while something can be had for it, and what is queued for a consumer that goes is
    /// neither lost nor given to another partition.
    #[test]
    fn partition_dispatcher(ops in ops()) {
        let dispatcher = PartitionDispatcher::new(CONSUMERS, |event: &u32| Some(*event as usize % CONSUMERS));
        let mut play = Play::new(dispatcher.queue_size(usize::MAX), Partition);
        for op in &ops {
            play.step(op);
            for consumer in 0..CONSUMERS {
                let unmet = play.unmet(consumer);
                let of_it: Vec<u32> = (0..play.emitted).filter(|event| *event as usize % CONSUMERS == consumer).collect();
                let received = &play.received[consumer];
                prop_assert_eq!(received.as_slice(), &of_it[..received.len()]);
                prop_assert!(unmet == 0 || received.len() == of_it.len(), "wanted, and held");
                prop_assert!(unmet == 0 || play.owed > 0, "starved");
            }
        }
    }
}
