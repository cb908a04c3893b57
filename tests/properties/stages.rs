//! The stages of the topologies: all they do is stamp, note and pass on.

use std::sync::{Arc, Mutex};

use genstage::prelude::*;
use genstage::{
    BroadcastDispatcher, Cancelled, Demand, DemandDispatcher, DemandMode, PartitionDispatcher, Subscription,
};
use genstage_tests::any_dispatcher::AnyDispatcher;

use crate::doom::Doom;
use crate::events::{Event, Stamp, Tally};
use crate::handle::Handle;
use crate::topology::{Answer, Dispatch, Kind, OutputSpec, Partitions, Work};

pub(crate) type Any = AnyDispatcher<Event>;

/// What a stage saw or did.
#[derive(Debug)]
pub(crate) enum Note {
    /// A batch was handled.
    Events(Vec<Stamp>),
    /// So many events were asked for.
    Demand(usize),
    Emitted(usize),
    /// The buffer was full for so many.
    Discarded(usize),
    /// A consumer of that name has subscribed.
    Subscribed(String),
    Cancelled(Cancelled),
}

/// What all stages noted, each with the number of the stage, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<(usize, Note)>>>);

impl Notes {
    fn push(&self, stage: usize, note: Note) {
        self.0.lock().unwrap().push((stage, note));
    }

    /// Everything noted since the last look.
    pub(crate) fn take(&self) -> Vec<(usize, Note)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A stage that has not been started.
pub(crate) enum Made {
    Source(Source),
    Middle(Middle),
    Leaf(Leaf),
}

impl Kind {
    pub(crate) fn make(&self, stage: usize, notes: &Notes, tally: &Arc<Tally>) -> Made {
        let common = Common { stage, notes: notes.clone(), doom: Doom::default() };
        let output = |spec: &OutputSpec| Output { spec: spec.clone(), tally: tally.clone(), emitted: 0 };
        match *self {
            Self::Source { output: ref spec, answer, supply } => {
                let (output, demand, finishes) = (output(spec), DemandMode::Forward, false);
                Made::Source(Source { common, output, demand, answer, supply, finishes })
            }
            Self::Middle { output: ref spec, work } => {
                Made::Middle(Middle { common, output: output(spec), work })
            }
            Self::Leaf { manual } => Made::Leaf(Leaf { common, manual }),
        }
    }
}

impl Made {
    pub(crate) fn spawn_as(self, name: String) -> Handle {
        match self {
            Self::Source(stage) => Handle::Source(stage.spawn_as(name)),
            Self::Middle(stage) => Handle::Middle(stage.spawn_as(name)),
            Self::Leaf(stage) => Handle::Leaf(stage.spawn_as(name)),
        }
    }

    pub(crate) fn common(&mut self) -> &mut Common {
        match self {
            Self::Source(stage) => &mut stage.common,
            Self::Middle(stage) => &mut stage.common,
            Self::Leaf(stage) => &mut stage.common,
        }
    }
}

/// Notes and misfortunes of one stage.
pub(crate) struct Common {
    pub(crate) stage: usize,
    pub(crate) notes: Notes,
    pub(crate) doom: Doom,
}

impl Common {
    fn note(&self, note: Note) {
        self.notes.push(self.stage, note);
    }
}

/// The producing half of a stage: stamps and counts what it emits.
pub(crate) struct Output {
    pub(crate) spec: OutputSpec,
    pub(crate) tally: Arc<Tally>,
    emitted: u64,
}

impl Output {
    fn dispatcher(&self) -> Any {
        match self.spec.dispatch {
            Dispatch::Demand => Any::Demand(DemandDispatcher::new()),
            Dispatch::Broadcast => Any::Broadcast(BroadcastDispatcher::default()),
            Dispatch::Partition(partitions @ Partitions { count, queue_size, .. }) => {
                let dispatcher =
                    PartitionDispatcher::new(count, move |event: &Event| partitions.of(event.lane()));
                Any::Partition(dispatcher.queue_size(queue_size))
            }
        }
    }

    /// So many events, with their numbers as payload.
    fn numbers(&mut self, common: &Common, count: usize, answers: bool) -> Vec<Event> {
        self.events(common, self.emitted..self.emitted + count as u64, answers)
    }

    fn events(
        &mut self,
        common: &Common,
        payloads: impl IntoIterator<Item = u64>,
        answers: bool,
    ) -> Vec<Event> {
        let mut stamped = |payload| {
            let stamp = Stamp { emitter: common.stage, number: self.emitted, payload, answers };
            self.emitted += 1;
            Event::new(stamp, self.tally.clone())
        };
        let events: Vec<_> = payloads.into_iter().map(&mut stamped).collect();
        common.note(Note::Emitted(events.len()));
        events
    }
}

/// Has so many events to emit.
#[stage(
    producer,
    buffer_size = self.output.spec.buffer,
    buffer_keep = self.output.spec.keep,
    demand = self.demand,
    dispatcher = Any::from(self.output.dispatcher())
)]
pub(crate) struct Source {
    pub(crate) common: Common,
    pub(crate) output: Output,
    pub(crate) demand: DemandMode,
    pub(crate) answer: Answer,
    pub(crate) supply: usize,
    /// Whether the stage ends when it has emitted them.
    pub(crate) finishes: bool,
}

impl Producer for Source {
    type Event = Event;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        self.common.note(Note::Demand(demand));
        let count = self.answer.to(demand).min(self.supply);
        self.supply -= count;
        cx.emit_all(self.output.numbers(&self.common, count, true));
        if self.supply == 0 && self.finishes {
            cx.finish();
        }
        self.common.doom.now().map_or(Ok(()), |fate| fate.strike(cx))
    }

    async fn handle_subscribe(&mut self, consumer: &Subscription, _: &mut Context<Self>) -> Result {
        self.common.note(Note::Subscribed(consumer.peer().to_owned()));
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.common.note(Note::Cancelled(cancelled.clone()));
        Ok(())
    }

    fn on_discarded(&mut self, events: usize) -> bool {
        self.common.note(Note::Discarded(events));
        false
    }
}

#[stage(
    producer_consumer,
    buffer_size = self.output.spec.buffer,
    buffer_keep = self.output.spec.keep,
    dispatcher = Any::from(self.output.dispatcher())
)]
pub(crate) struct Middle {
    pub(crate) common: Common,
    pub(crate) output: Output,
    pub(crate) work: Work,
}

impl ProducerConsumer for Middle {
    type Input = Event;
    type Output = Event;

    async fn handle_events(&mut self, events: &mut Batch<Event>, cx: &mut Context<Self>) -> Result {
        let made: Vec<_> = events.iter().flat_map(|event| self.work.of(event.payload())).collect();
        cx.emit_all(self.output.events(&self.common, made, false));
        // A call that fails takes its batch with it.
        if let Some(fate) = self.common.doom.now() {
            fate.strike(cx)?;
        }
        self.common.note(Note::Events(events.drain().map(Event::deliver).collect()));
        Ok(())
    }

    async fn handle_subscribed(&mut self, consumer: &Subscription, _: &mut Context<Self>) -> Result {
        self.common.note(Note::Subscribed(consumer.peer().to_owned()));
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.common.note(Note::Cancelled(cancelled.clone()));
        Ok(())
    }

    fn on_discarded(&mut self, events: usize) -> bool {
        self.common.note(Note::Discarded(events));
        false
    }
}

#[stage(consumer)]
pub(crate) struct Leaf {
    pub(crate) common: Common,
    pub(crate) manual: bool,
}

impl Consumer for Leaf {
    type Event = Event;

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        Ok(if self.manual { Demand::Manual } else { Demand::Automatic })
    }

    async fn handle_events(&mut self, events: &mut Batch<Event>, cx: &mut Context<Self>) -> Result {
        if let Some(fate) = self.common.doom.now() {
            fate.strike(cx)?;
        }
        self.common.note(Note::Events(events.drain().map(Event::deliver).collect()));
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.common.note(Note::Cancelled(cancelled.clone()));
        Ok(())
    }
}

/// Emits so many events, asked for or not.
pub(crate) struct Emit(pub(crate) usize);

macro_rules! emits {
    ($($stage:ident),*) => {$(
        impl Cast<Emit> for $stage {
            async fn handle_cast(&mut self, Emit(count): Emit, cx: &mut Context<Self>) -> Result {
                cx.emit_all(self.output.numbers(&self.common, count, false));
                Ok(())
            }
        }
    )*};
}

/// Says nothing; but an info parts what stands before it in a buffer from what stands behind.
pub(crate) struct Nudge;

macro_rules! nudged {
    ($($stage:ident),*) => {$(
        impl Info<Nudge> for $stage {
            async fn handle_info(&mut self, _: Nudge, _: &mut Context<Self>) -> Result {
                Ok(())
            }
        }
    )*};
}

emits!(Source, Middle);
nudged!(Source, Middle, Leaf);
