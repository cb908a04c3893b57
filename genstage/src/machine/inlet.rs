use std::collections::VecDeque;
use std::mem;

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
}

impl<I> Link<I> {
    #[inline]
    fn ask(&self, demand: usize, spare: &mut Vec<I>) {
        self.subscription.gauges.asked.add(demand as u64);
        self.port.ask(self.subscription.id, demand, spare);
    }

    /// Asks for what has been handled.
    #[inline]
    fn ask_again(&self, demand: usize, spare: &mut Vec<I>) {
        self.subscription.gauges.asked.add(demand as u64);
        self.port.ask_again(self.subscription.id, demand, spare);
    }
}

/// What a stage says of itself that works between its callbacks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many events it takes in now.
    pub(crate) room: usize,
    /// Whether what comes behind events, such as the end of a producer, has to wait for what it is working on.
    pub(crate) busy: bool,
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
    /// What the handler is lent. It stays here, and is emptied here: a vector that is moved as soon as it was written costs as much
    /// as all else that is done with it.
    pub(crate) batch: Batch<I>,
    /// Its subscription and its size, while it is with the handler.
    handling: Option<(SubscriptionId, usize)>,
    /// An emptied buffer that did not go upstream.
    spare: Vec<I>,
    /// None if the demand of its consumers says how much the stage takes in.
    pub(crate) pace: Option<Pace>,
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
            batch: Batch::new(Vec::new(), None),
            handling: None,
            spare: Vec::new(),
            pace: None,
            events_in: 0,
            discarded: 0,
        }
    }

    pub(crate) fn subscribe(&mut self, subscription: Subscription, producer: Producer<I>) {
        let Producer { port, window, cancel } = producer;
        let id = subscription.id;
        let link = Link { subscription, port, window, cancel, demand: None };
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
            let demand = producer.window.open();
            producer.ask(demand, &mut Vec::new());
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
            producer.ask(demand, &mut self.spare);
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
        // There are dispatchers of users' own.
        if !events.is_empty() {
            self.queue.push_back(Input::Events((id, events)));
        }
    }

    /// Queues the end of a producer.
    pub(super) fn enqueue_gone(&mut self, id: SubscriptionId, kind: CancelKind, reason: Reason) {
        let at_once = self.is_empty();
        let gone = Cancelled::new(id, Side::Producer, kind, reason);
        self.queue.push_back(Input::Gone { gone, at_once });
    }

    /// Queues an info behind what is queued already. False if nothing is: then its turn is now.
    pub(super) fn enqueue_info(&mut self, info: Marker) -> bool {
        let waits = !self.queue.is_empty() || self.is_busy();
        if waits {
            self.queue.push_back(Input::Info(info));
        }
        waits
    }

    /// Whether the stage is working on something that what comes behind events has to wait for.
    fn is_busy(&self) -> bool {
        self.pace.is_some_and(|pace| pace.busy)
    }

    /// Whether something waits until the stage is not busy any more.
    pub(crate) fn is_held_up(&self) -> bool {
        self.is_busy() && self.slices.is_none() && !self.queue.is_empty() && !self.has_events()
    }

    /// How many events the stage takes in now.
    #[inline]
    fn room(&self) -> usize {
        self.pace.map_or(usize::MAX, |pace| pace.room)
    }

    /// Whether the stage may begin a message, if something is wanted of it or not.
    #[inline]
    pub(super) fn may_begin(&self, is_wanted: bool) -> bool {
        self.pace.map_or(is_wanted, |pace| pace.room > 0)
    }

    /// Whether nothing is queued behind what is with the handler.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.slices.is_none()
    }

    /// What is next in the queue: a batch, an info, or the end of a producer. A new message of events is begun only if
    /// `may_begin`; one that was begun is gone through to its end. The same holds for what stands behind messages.
    #[inline]
    pub(super) fn next(&mut self, may_begin: bool) -> Option<Input<()>> {
        if self.slices.is_some() {
            if self.room() == 0 {
                return None;
            }
            if self.next_slice() {
                return Some(Input::Events(()));
            }
        }
        loop {
            if !may_begin && !self.may_end() || self.is_busy() && !self.has_events() {
                return None;
            }
            match self.queue.pop_front()? {
                Input::Gone { gone, at_once } => return Some(Input::Gone { gone, at_once }),
                Input::Info(info) => return Some(Input::Info(info)),
                Input::Events((id, events)) => {
                    if self.begin(id, events) {
                        return Some(Input::Events(()));
                    }
                }
            }
        }
    }

    /// Whether events are next.
    fn has_events(&self) -> bool {
        matches!(self.queue.front(), Some(Input::Events(_)))
    }

    /// Whether the end of a producer is next that does not wait for demand: because nothing stood before it, as in GenStage,
    /// or because it may be the stage's own end, and a consumer that waits for that may want nothing more.
    fn may_end(&self) -> bool {
        let Some(Input::Gone { gone, at_once }) = self.queue.front() else { return false };
        *at_once || self.producers.get(gone.id).is_some_and(|producer| producer.cancel == Cancel::Complete)
    }

    /// Hands out the first batch of a message; false if its subscription is gone.
    #[inline]
    fn begin(&mut self, id: SubscriptionId, events: Vec<I>) -> bool {
        let Some(producer) = self.producers.get(id) else {
            self.discarded += events.len() as u64;
            return false;
        };
        let size = match producer.demand {
            Some(Demand::Manual) => usize::MAX,
            _ => producer.window.batch_size(),
        };
        let size = size.min(self.room());
        if self.batch.events.capacity() > 0 {
            self.spare = mem::take(&mut self.batch.events);
        }
        if events.len() > size {
            self.slices = Some(Slices { id, rest: events.into() });
            return self.next_slice();
        }
        self.batch.events = events;
        self.hand_out(id);
        true
    }

    /// Hands out the next batch of a large message; false if that was all, or if its subscription is gone.
    fn next_slice(&mut self) -> bool {
        let room = self.room();
        let Some(slices) = &mut self.slices else { return false };
        let (id, left) = (slices.id, slices.rest.len());
        let Some(producer) = self.producers.get(id) else {
            self.discarded += left as u64;
            self.slices = None;
            return false;
        };
        let size = producer.window.batch_size().min(room);
        if left > size {
            self.batch.events = mem::take(&mut self.spare);
            self.batch.events.extend(slices.rest.drain(..size));
        } else {
            self.batch.events = mem::take(&mut slices.rest).into();
            self.slices = None;
        }
        self.hand_out(id);
        true
    }

    #[inline]
    fn hand_out(&mut self, id: SubscriptionId) {
        let events = self.batch.len();
        self.events_in += events as u64;
        self.batch.from = Some(id);
        self.handling = Some((id, events));
    }

    /// The handler has passed the batch on: what becomes of its events is known later.
    pub(super) fn handed_over(&mut self) {
        self.clear_batch();
        self.handling = None;
    }

    /// The handler is done with the batch: what it left is dropped, and the demand that it met may be asked for again, if there is
    /// to be `more`.
    #[inline]
    pub(super) fn handled(&mut self, more: bool) {
        self.clear_batch();
        let Some((id, events)) = self.handling.take() else { return };
        let Some(producer) = self.producers.get_mut(id) else { return };
        producer.subscription.gauges.handled.add(events as u64);
        let ask = match producer.demand {
            Some(Demand::Manual) => 0,
            _ if !more => 0,
            _ => producer.window.handled(events),
        };
        if self.slices.is_some() {
            // It is for the next slice.
            self.spare = mem::take(&mut self.batch.events);
        }
        if ask > 0 {
            producer.ask_again(ask, &mut self.batch.events);
        }
    }

    /// One event of a subscription, handed out before, has been dealt with.
    pub(super) fn freed(&mut self, id: SubscriptionId) {
        let Some(producer) = self.producers.get_mut(id) else { return };
        let ask = producer.window.handled(1);
        producer.subscription.gauges.handled.add(1);
        if ask > 0 {
            producer.ask_again(ask, &mut Vec::new());
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

    /// Drops what the handler did not get through.
    #[inline]
    pub(crate) fn clear_batch(&mut self) {
        self.batch.events.clear();
    }

    pub(super) fn clear(&mut self) {
        self.clear_batch();
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
