use std::collections::VecDeque;

use super::{ById, Upstream};
use crate::buffer::Marker;
use crate::demand::Window;
use crate::subscription::{CancelKind, Cancelled, Demand, Side, Subscription, SubscriptionId};
use crate::{Batch, Cancel, Reason};

/// How a producer is reached, and on which terms.
pub(crate) struct Producer<I> {
    pub(crate) port: Box<dyn Upstream<I>>,
    pub(crate) window: Window,
    pub(crate) cancel: Cancel,
}

/// A subscription, seen from the consumer.
struct Link<I> {
    subscription: Subscription,
    port: Box<dyn Upstream<I>>,
    window: Window,
    cancel: Cancel,
    /// How the stage asks; unknown before its callback.
    demand: Option<Demand>,
    /// An emptied buffer that waits for the next ask.
    spare: Vec<I>,
}

/// What the stage has to deal with, in the order in which it came.
pub(super) enum Input<E> {
    Events(E),
    Info(Marker),
    /// Its turn is now if nothing was queued when it came.
    Gone {
        gone: Cancelled,
        at_once: bool,
    },
}

/// The consuming half of a stage: its subscriptions and what came over them.
pub(crate) struct Inlet<I> {
    producers: ById<Link<I>>,
    queue: VecDeque<Input<(SubscriptionId, Vec<I>)>>,
    /// The message that is being handled in several batches.
    slices: Option<Slices<I>>,
    /// The subscription and the size of the batch that is with the handler.
    handling: Option<(SubscriptionId, usize)>,
    /// The buffer in which slices are handed out.
    scratch: Vec<I>,
    pub(crate) events_in: u64,
    pub(crate) discarded: u64,
}

/// A message that is larger than a batch. A deque gives events up at its front and its buffer back at the end.
struct Slices<I> {
    id: SubscriptionId,
    rest: VecDeque<I>,
}

impl<I> Inlet<I> {
    pub(super) fn new() -> Self {
        Self {
            producers: ById::new(),
            queue: VecDeque::new(),
            slices: None,
            handling: None,
            scratch: Vec::new(),
            events_in: 0,
            discarded: 0,
        }
    }

    pub(crate) fn subscribe(&mut self, subscription: Subscription, producer: Producer<I>) {
        let Producer { port, window, cancel } = producer;
        let id = subscription.id;
        let link = Link { subscription, port, window, cancel, demand: None, spare: Vec::new() };
        self.producers.insert(id, link);
    }

    /// All subscriptions, the oldest first.
    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        self.producers.values().map(|link| link.subscription.clone()).collect()
    }

    /// Asks a new producer for as much as the window says, or waits to be told.
    pub(super) fn open(&mut self, id: SubscriptionId, demand: Demand) {
        let Some(producer) = self.producers.get_mut(id) else { return };
        let before = producer.demand.replace(demand);
        // A stage that was begun anew is asked again: what its producer owes stands.
        if demand == Demand::Automatic && before != Some(Demand::Automatic) {
            producer.port.ask(id, producer.window.open(), Vec::new());
        }
    }

    /// Changes what the end of a subscription does.
    pub(crate) fn set_cancel(&mut self, id: SubscriptionId, cancel: Cancel) {
        if let Some(producer) = self.producers.get_mut(id) {
            producer.cancel = cancel;
        }
    }

    /// Asks a producer, as the stage itself decides.
    pub(crate) fn ask(&mut self, id: SubscriptionId, demand: usize) {
        if let (Some(producer), true) = (self.producers.get_mut(id), demand > 0) {
            producer.port.ask(id, demand, std::mem::take(&mut producer.spare));
        }
    }

    /// Asks a producer to cancel a subscription; it will say so when it has.
    pub(crate) fn cancel(&mut self, id: SubscriptionId, reason: Reason) {
        if let Some(producer) = self.producers.get(id) {
            producer.port.consumer_gone(id, CancelKind::Cancel, reason);
        }
    }

    pub(super) fn has_producers(&self) -> bool {
        !self.producers.is_empty()
    }

    pub(super) fn remove(&mut self, id: SubscriptionId) -> Option<Cancel> {
        self.producers.remove(id).map(|producer| producer.cancel)
    }

    #[inline]
    pub(super) fn enqueue(&mut self, id: SubscriptionId, events: Vec<I>) {
        self.queue.push_back(Input::Events((id, events)));
    }

    /// Queues the end of a producer.
    pub(super) fn enqueue_gone(&mut self, id: SubscriptionId, kind: CancelKind, reason: Reason) {
        let at_once = self.is_empty();
        let gone = Cancelled::new(id, Side::Producer, kind, reason);
        self.queue.push_back(Input::Gone { gone, at_once });
    }

    /// Queues an info behind what is queued already. False if nothing is: then its turn is now.
    pub(super) fn enqueue_info(&mut self, info: Marker) -> bool {
        if !self.queue.is_empty() {
            self.queue.push_back(Input::Info(info));
        }
        !self.queue.is_empty()
    }

    /// Whether nothing is queued.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.slices.is_none()
    }

    /// What is next in the queue: a batch, an info, or the end of a producer. A new message of events is begun only if
    /// `may_begin`; one that was begun is gone through to its end. The same holds for what stands behind messages.
    #[inline]
    pub(super) fn next(&mut self, may_begin: bool) -> Option<Input<Batch<I>>> {
        if self.slices.is_some()
            && let Some(batch) = self.next_slice()
        {
            return Some(Input::Events(batch));
        }
        loop {
            if !may_begin && !self.may_end() {
                return None;
            }
            match self.queue.pop_front()? {
                Input::Gone { gone, at_once } => return Some(Input::Gone { gone, at_once }),
                Input::Info(info) => return Some(Input::Info(info)),
                Input::Events((id, events)) => match self.begin(id, events) {
                    Some(batch) => return Some(Input::Events(batch)),
                    None => continue,
                },
            }
        }
    }

    /// Whether the end of a producer is next that does not wait for demand: because nothing stood before it, as in GenStage,
    /// or because it may be the stage's own end, and a consumer that waits for that may want nothing more.
    fn may_end(&self) -> bool {
        let Some(Input::Gone { gone, at_once }) = self.queue.front() else { return false };
        *at_once || self.producers.get(gone.id).is_some_and(|producer| producer.cancel == Cancel::Complete)
    }

    /// The first batch of a message; none if its subscription is gone.
    #[inline]
    fn begin(&mut self, id: SubscriptionId, events: Vec<I>) -> Option<Batch<I>> {
        let Some(producer) = self.producers.get(id) else {
            self.discarded += events.len() as u64;
            return None;
        };
        if producer.demand != Some(Demand::Manual) && events.len() > producer.window.batch_size() {
            self.slices = Some(Slices { id, rest: events.into() });
            return self.next_slice();
        }
        Some(self.hand_out(id, events))
    }

    fn next_slice(&mut self) -> Option<Batch<I>> {
        let slices = self.slices.as_mut()?;
        let id = slices.id;
        match self.producers.get_mut(id) {
            Some(producer) if !slices.rest.is_empty() => {
                let size = producer.window.batch_size().min(slices.rest.len());
                let mut events = std::mem::take(&mut self.scratch);
                events.extend(slices.rest.drain(..size));
                if slices.rest.is_empty() {
                    producer.spare = std::mem::take(&mut slices.rest).into();
                }
                Some(self.hand_out(id, events))
            }
            _ => {
                self.discarded += slices.rest.len() as u64;
                self.slices = None;
                None
            }
        }
    }

    #[inline]
    fn hand_out(&mut self, id: SubscriptionId, events: Vec<I>) -> Batch<I> {
        self.events_in += events.len() as u64;
        self.handling = Some((id, events.len()));
        Batch::new(events)
    }

    /// Takes a handled batch back: its buffer, and the demand that it met; `more` may be asked for.
    #[inline]
    pub(super) fn handled(&mut self, batch: Batch<I>, more: bool) {
        let buffer = batch.into_buffer();
        let Some((id, events)) = self.handling.take().filter(|_| more) else { return };
        let Some(producer) = self.producers.get_mut(id) else { return };
        match self.slices {
            Some(_) => self.scratch = buffer,
            None => producer.spare = buffer,
        }
        let ask = match producer.demand {
            Some(Demand::Manual) => 0,
            _ => producer.window.handled(events),
        };
        if ask > 0 {
            producer.port.ask(id, ask, std::mem::take(&mut producer.spare));
        }
    }

    /// One event of a subscription, handed out before, has been dealt with.
    pub(super) fn freed(&mut self, id: SubscriptionId) {
        let Some(producer) = self.producers.get_mut(id) else { return };
        let ask = producer.window.handled(1);
        if ask > 0 {
            producer.port.ask(id, ask, Vec::new());
        }
    }

    /// The subscription whose events are with the handler.
    pub(crate) fn handled_subscription(&self) -> Option<SubscriptionId> {
        self.handling.map(|(id, _)| id)
    }

    /// How many events are with the handler.
    pub(super) fn handling(&self) -> usize {
        self.handling.map_or(0, |(_, events)| events)
    }

    /// How many events are queued.
    pub(super) fn queued(&self) -> usize {
        let queued = self.queue.iter().map(|input| match input {
            Input::Events((_, events)) => events.len(),
            Input::Info(_) | Input::Gone { .. } => 0,
        });
        queued.sum::<usize>() + self.slices.as_ref().map_or(0, |slices| slices.rest.len())
    }

    pub(super) fn clear(&mut self) {
        self.slices = None;
        self.queue.clear();
    }

    /// Tells the producers that their consumer has ended.
    pub(super) fn close(&mut self, reason: &Reason) {
        for (id, producer) in self.producers.take() {
            producer.port.consumer_gone(id, CancelKind::Down, reason.clone());
        }
    }
}

impl<I> Drop for Inlet<I> {
    /// A task that was ended from outside says so to its neighbours, whatever it was doing.
    fn drop(&mut self) {
        self.close(&Reason::Killed);
    }
}
