//! The stages of scenarios.

use std::sync::{Arc, Mutex, PoisonError};

use genstage::prelude::*;
use genstage::{
    BroadcastDispatcher, CancelKind, Cancelled, Demand, DemandDispatcher, DemandMode, Keep,
    PartitionDispatcher, Reason, Selector, Subscription,
};
use serde_json::{Value, json};

use super::{BroadcastWord, DispatcherSpec, PartitionWord, Style};
use crate::any_dispatcher::{AnyDispatcher, AnyOptions};

/// What stages saw, in order.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Vec<Note>>>);

pub(super) struct Note {
    pub(super) stage: String,
    pub(super) what: What,
}

pub(super) enum What {
    Events(Vec<i64>),
    Demand(usize),
    Info(u64),
    Discarded(usize),
    Cancelled(&'static str, String),
}

impl Notes {
    fn push(&self, stage: &str, what: What) {
        let note = Note { stage: stage.to_owned(), what };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    pub(super) fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What every stage of a scenario has.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) id: String,
    pub(super) notes: Notes,
    pub(super) buffer_size: Option<usize>,
    pub(super) keep: Keep,
    pub(super) dispatcher: Option<DispatcherSpec>,
    pub(super) style: Style,
}

impl Common {
    fn note(&self, what: What) {
        self.notes.push(&self.id, what);
    }

    fn cancelled(&self, cancelled: &Cancelled) {
        let kind = match cancelled.kind {
            CancelKind::Cancel => "cancel",
            CancelKind::Down => "down",
        };
        self.note(What::Cancelled(kind, cancelled.reason.to_string()));
    }

    /// A number that stands in the style, or 1.
    fn number(&self, word: &str) -> Option<i64> {
        match &self.style {
            Style::With(style, number) if style == word => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    fn is(&self, word: &str) -> bool {
        matches!(&self.style, Style::Plain(style) if style == word)
    }
}

/// Numbers end here.
const LAST: i64 = 59;

#[stage(
    producer,
    buffer_size = self.common.buffer_size.unwrap_or(10_000),
    buffer_keep = self.common.keep,
    demand = self.demand,
    dispatcher = Any::from(dispatcher(self.common.dispatcher.as_ref()))
)]
pub(super) struct Source {
    pub(super) common: Common,
    pub(super) demand: DemandMode,
    pub(super) next: i64,
}

impl Producer for Source {
    type Event = i64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        self.common.note(What::Demand(demand));
        let count = match self.common.number("chunk") {
            Some(chunk) => chunk,
            None if self.common.is("counter") => i64::try_from(demand)?,
            None => 0,
        };
        let end = (self.next + count).min(LAST + 1);
        cx.emit_all(self.next..end);
        self.next = end;
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.common.cancelled(cancelled);
        Ok(())
    }

    fn on_discarded(&mut self, events: usize) -> bool {
        self.common.note(What::Discarded(events));
        false
    }
}

/// Events that a producer emits unasked.
pub(super) struct Notify(pub(super) Vec<i64>);

impl Cast<Notify> for Source {
    async fn handle_cast(&mut self, Notify(events): Notify, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events);
        Ok(())
    }
}

impl Info<u64> for Source {
    async fn handle_info(&mut self, info: u64, _: &mut Context<Self>) -> Result {
        self.common.note(What::Info(info));
        Ok(())
    }
}

#[stage(
    producer_consumer,
    buffer_size = self.common.buffer_size.unwrap_or(usize::MAX),
    buffer_keep = self.common.keep,
    dispatcher = Any::from(dispatcher(self.common.dispatcher.as_ref()))
)]
pub(super) struct Middle {
    pub(super) common: Common,
}

impl ProducerConsumer for Middle {
    type Input = i64;
    type Output = i64;

    async fn handle_events(&mut self, events: &mut Batch<i64>, cx: &mut Context<Self>) -> Result {
        self.common.note(What::Events(events.to_vec()));
        match (self.common.number("expand"), self.common.number("filter")) {
            (Some(copies), _) => {
                cx.emit_all(events.drain().flat_map(|x| (0..copies).map(move |i| 10 * x + i)))
            }
            (_, Some(modulus)) => cx.emit_all(events.drain().filter(|x| x.rem_euclid(modulus) == 0)),
            _ => cx.emit_all(events.drain()),
        }
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.common.cancelled(cancelled);
        Ok(())
    }

    fn on_discarded(&mut self, events: usize) -> bool {
        self.common.note(What::Discarded(events));
        false
    }
}

impl Cast<Notify> for Middle {
    async fn handle_cast(&mut self, Notify(events): Notify, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events);
        Ok(())
    }
}

impl Info<u64> for Middle {
    async fn handle_info(&mut self, info: u64, _: &mut Context<Self>) -> Result {
        self.common.note(What::Info(info));
        Ok(())
    }
}

#[stage(consumer)]
pub(super) struct Sink {
    pub(super) common: Common,
}

impl Consumer for Sink {
    type Event = i64;

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        Ok(if self.common.is("manual") { Demand::Manual } else { Demand::Automatic })
    }

    async fn handle_events(&mut self, events: &mut Batch<i64>, _: &mut Context<Self>) -> Result {
        self.common.note(What::Events(events.take()));
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.common.cancelled(cancelled);
        Ok(())
    }
}

impl Info<u64> for Sink {
    async fn handle_info(&mut self, info: u64, _: &mut Context<Self>) -> Result {
        self.common.note(What::Info(info));
        Ok(())
    }
}

/// The reason that a recording means by a word.
pub(super) fn reason(word: &str) -> Reason {
    match word {
        "normal" => Reason::Normal,
        "shutdown" => Reason::Shutdown,
        other => Reason::custom(other),
    }
}

impl What {
    /// Under which key it is recorded, and how.
    pub(super) fn recorded(self) -> (&'static str, Value) {
        match self {
            Self::Events(events) => ("events", json!(events)),
            Self::Demand(demand) => ("demand", json!(demand)),
            Self::Info(info) => ("info", json!(info)),
            Self::Discarded(events) => ("discarded", json!(events)),
            Self::Cancelled(kind, reason) => ("cancelled", json!([kind, reason])),
        }
    }
}

/// A dispatcher of the scenarios' numbers.
type Any = AnyDispatcher<i64>;

/// The dispatcher that a scenario states.
fn dispatcher(spec: Option<&DispatcherSpec>) -> Any {
    match spec {
        Some(DispatcherSpec::Partition(PartitionWord::Word, count)) => {
            let modulus = i64::try_from(*count).unwrap_or(i64::MAX);
            let partition = move |event: &i64| usize::try_from(event.rem_euclid(modulus)).ok();
            Any::Partition(PartitionDispatcher::new(*count, partition))
        }
        Some(DispatcherSpec::Broadcast(BroadcastWord::Word)) => {
            Any::Broadcast(BroadcastDispatcher::default())
        }
        None => Any::Demand(DemandDispatcher::new()),
    }
}

/// What a subscription states for it. One that states no partition is refused where there are any, as in GenStage.
pub(super) fn stated(selector: Option<(i64, i64)>, partition: Option<usize>) -> AnyOptions<i64> {
    let selector =
        selector.map(|(modulus, rest)| Selector::new(move |event: &i64| event.rem_euclid(modulus) == rest));
    AnyOptions { selector: selector.unwrap_or_default(), partition: partition.or(Some(usize::MAX)) }
}
