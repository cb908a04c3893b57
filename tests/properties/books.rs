//! What is known of each stage's output and of each subscription, from what handlers saw and what was done from outside.

use std::sync::Arc;

use genstage::{DemandMode, Side, Snapshot, Subscription};

use crate::events::{Stamp, Tally};
use crate::stages::Note;
use crate::topology::{Dispatch, Edge, OutputSpec};
use crate::world::World;

/// What is known of a stage's output.
pub(crate) struct Account {
    pub(crate) spec: OutputSpec,
    pub(crate) tally: Arc<Tally>,
    pub(crate) emitted: u64,
    /// Discarded for want of room in the buffer, as the stage was told.
    pub(crate) overflown: u64,
    /// What the handler was asked for, and how much of it has not been emitted.
    pub(crate) demanded: usize,
    pub(crate) owed: usize,
    /// Whether a source has ever accumulated demand.
    pub(crate) accumulated_once: bool,
    pub(crate) last: Look,
    /// How many events may be gone with a stage that had them when it ended.
    pub(crate) gone: u64,
}

/// What a look at a running stage showed.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) forwards: bool,
    pub(crate) buffered: u64,
    pub(crate) accumulated: u64,
    /// What partitions have queued: nobody tells, but it is what is left of what was emitted.
    pub(crate) queued: u64,
    pub(crate) discarded: u64,
    /// How many of those for another reason than that the buffer was full.
    pub(crate) refused: u64,
    /// How many events, copies counted, there had been.
    made: u64,
}

/// A subscription.
pub(crate) struct Link {
    pub(crate) consumer: usize,
    pub(crate) producer: usize,
    pub(crate) edge: Edge,
    pub(crate) manual: bool,
    pub(crate) subscription: Option<Subscription>,
    /// The producer's dispatcher has accepted it.
    pub(crate) accepted: bool,
    /// Whether the producer, the consumer has learnt of its end.
    pub(crate) gone_above: bool,
    pub(crate) gone_below: bool,
    pub(crate) asked: usize,
    /// What is outstanding of a window.
    outstanding: usize,
    /// The numbers of the events that came.
    pub(crate) received: Vec<u64>,
    /// The number after the last one of those that answer demand, and of the others.
    next: [u64; 2],
    /// How many events its producer had dispatched before it was made, and at the first look after.
    pub(crate) dispatched_before: u64,
    pub(crate) dispatched_after: Option<u64>,
}

impl Account {
    pub(crate) fn new(spec: OutputSpec, tally: Arc<Tally>) -> Self {
        let (emitted, overflown, demanded, owed, accumulated_once, last, gone) = Default::default();
        Self { spec, tally, emitted, overflown, demanded, owed, accumulated_once, last, gone }
    }

    fn look(&mut self, snapshot: &Snapshot) {
        let [buffered, accumulated] = [snapshot.buffered, snapshot.accumulated].map(|events| events as u64);
        let (sent, discarded) = (snapshot.events_out, snapshot.discarded);
        let queued = match self.spec.dispatch {
            // Copies do not add up to what was emitted.
            Dispatch::Broadcast => 0,
            _ => self
                .emitted
                .checked_sub(sent + discarded + buffered + accumulated)
                .expect("no more is sent, discarded or waits than was emitted"),
        };
        let refused = discarded.checked_sub(self.overflown).expect("all that is discarded is counted");
        let (forwards, made) = (snapshot.demand == DemandMode::Forward, self.tally.made());
        self.last = Look { forwards, buffered, accumulated, queued, discarded, refused, made };
        let alive = self.tally.alive();
        assert!(
            self.last.held() <= alive,
            "neither sent nor counted, but only {alive} wait: {:?}",
            self.last
        );
    }

    /// The stage has ended: what it had not sent may be gone, and what it emitted since the last look.
    fn close(&mut self) {
        let held = self.last.held();
        self.gone += held + self.tally.made() - self.last.made;
        let Look { discarded, refused, .. } = self.last;
        self.last = Look { discarded, refused, ..Look::default() };
    }

    /// How many events a broadcast has sent to everyone.
    pub(crate) fn dispatched(&self) -> u64 {
        self.emitted - self.overflown - self.last.held()
    }

    /// What a source answers to demand that it hears of when it forwards again overtakes what it has emitted meanwhile: these
    /// wait for their turn among the demands, as in GenStage. Each of the two is in order.
    pub(crate) fn has_two_orders(&self) -> bool {
        self.accumulated_once
    }

    /// How many events wait in front of consumers.
    pub(crate) fn on_the_way(&self) -> u64 {
        self.tally.alive() - self.last.held()
    }
}

impl Look {
    /// How many events the stage itself has.
    pub(crate) fn held(&self) -> u64 {
        self.buffered + self.accumulated + self.queued
    }
}

impl Link {
    /// A subscription that is still to be made.
    pub(crate) fn new(consumer: usize, producer: usize, edge: Edge, manual: bool, dispatched: u64) -> Self {
        let asked = if manual { 0 } else { edge.max };
        Self {
            consumer,
            producer,
            edge,
            manual,
            subscription: None,
            accepted: false,
            gone_above: false,
            gone_below: false,
            asked,
            outstanding: asked,
            received: vec![],
            next: [0, 0],
            dispatched_before: dispatched,
            dispatched_after: None,
        }
    }

    pub(crate) fn is(&self, consumer: usize, producer: usize) -> bool {
        (self.consumer, self.producer) == (consumer, producer)
    }

    /// What was asked for and has not come.
    pub(crate) fn credit(&self) -> usize {
        self.asked - self.received.len()
    }

    /// Invariant 2 is checked here.
    fn receive(&mut self, stamps: &[Stamp], spec: &OutputSpec, two_orders: bool) {
        for stamp in stamps {
            let order = &mut self.next[usize::from(two_orders && stamp.answers)];
            assert!(*order <= stamp.number, "out of order: {stamp:?}");
            *order = stamp.number + 1;
            self.received.push(stamp.number);
        }
        assert!(self.received.len() <= self.asked, "more than was asked for");
        let lanes = stamps.iter().map(|stamp| stamp.lane());
        match spec.dispatch {
            Dispatch::Demand => {}
            Dispatch::Broadcast => {
                lanes.for_each(|lane| assert!(self.edge.lane.is_none_or(|own| own == lane)))
            }
            Dispatch::Partition(partitions) => {
                lanes.for_each(|lane| assert_eq!(partitions.of(lane), Some(self.edge.partition)));
            }
        }
        if !self.manual {
            self.refill(stamps.len());
        }
    }

    /// The arithmetic of the demand window, as the documentation states it.
    fn refill(&mut self, handled: usize) {
        let Edge { max, min, .. } = self.edge;
        assert!(handled <= max - min, "a batch of {handled}");
        self.outstanding -= handled;
        if self.outstanding <= min {
            self.asked += max - self.outstanding;
            self.outstanding = max;
        }
    }
}

impl World {
    /// Takes down what has happened.
    pub(crate) async fn keep_books(&mut self) {
        for (stage, note) in self.notes.take() {
            self.take_down(stage, note);
        }
        self.close_ended();
        for stage in 0..self.stages.len() {
            if let Some(snapshot) = self.stages[stage].handle.snapshot().await {
                self.look(stage, &snapshot);
            }
        }
        for link in &mut self.links {
            let account = self.stages[link.producer].account.as_ref().unwrap();
            link.dispatched_after.get_or_insert(account.dispatched());
        }
    }

    fn look(&mut self, stage: usize, snapshot: &Snapshot) {
        let received =
            self.links.iter().filter(|link| link.consumer == stage).map(|link| link.received.len() as u64);
        assert_eq!(snapshot.events_in, received.sum::<u64>(), "counted by stage {stage}, and handled");
        if let Some(account) = &mut self.stages[stage].account {
            account.look(snapshot);
        }
    }

    fn take_down(&mut self, stage: usize, note: Note) {
        match (note, &mut self.stages[stage].account) {
            (Note::Events(stamps), _) => self.arrived(stage, &stamps),
            (Note::Demand(demand), Some(account)) => {
                account.demanded += demand;
                account.owed += demand;
            }
            (Note::Emitted(events), Some(account)) => {
                account.emitted += events as u64;
                account.owed = account.owed.saturating_sub(events);
            }
            (Note::Discarded(events), Some(account)) => account.overflown += events as u64,
            (Note::Subscribed(consumer), _) => self.accepted(stage, consumer.parse().unwrap()),
            (Note::Cancelled(cancelled), _) => {
                let link = self.links.iter_mut().find(|link| {
                    link.subscription.as_ref().is_some_and(|subscription| cancelled.is(subscription))
                });
                let link = link.unwrap();
                match cancelled.side() {
                    Side::Consumer => link.gone_above = true,
                    Side::Producer => link.gone_below = true,
                }
            }
            (note, None) => panic!("a leaf noted {note:?}"),
        }
    }

    fn accepted(&mut self, producer: usize, consumer: usize) {
        let newest = self.links.iter_mut().rfind(|link| link.is(consumer, producer));
        newest.unwrap().accepted = true;
    }

    /// One batch has arrived. A subscription ends before the next between the same two begins: it is of the oldest.
    fn arrived(&mut self, consumer: usize, stamps: &[Stamp]) {
        let producer = stamps[0].emitter;
        assert!(stamps.iter().all(|stamp| stamp.emitter == producer), "a batch of several producers");
        let account = self.stages[producer].account.as_ref().unwrap();
        let (spec, two_orders) = (account.spec.clone(), account.has_two_orders());
        let place = (spec.dispatch == Dispatch::Broadcast).then_some(consumer);
        for stamp in stamps {
            assert!(self.arrived.insert((producer, stamp.number, place)), "arrived twice: {stamp:?}");
        }
        let mut links = self.links.iter_mut();
        let link = links.find(|link| link.is(consumer, producer) && !link.gone_below);
        link.expect("events over a subscription that has ended").receive(stamps, &spec, two_orders);
    }

    /// What was on its way to a stage that has ended may be gone with it, but no more than it had asked for.
    fn close_ended(&mut self) {
        for stage in 0..self.stages.len() {
            if self.stages[stage].ended || !self.stages[stage].handle.has_ended() {
                continue;
            }
            self.stages[stage].ended = true;
            if let Some(account) = &mut self.stages[stage].account {
                account.close();
            }
            for link in self.links.iter().filter(|link| link.consumer == stage) {
                let account = self.stages[link.producer].account.as_mut().unwrap();
                account.gone += link.credit() as u64;
            }
        }
    }
}
