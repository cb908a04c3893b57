use std::collections::VecDeque;

use slab::Slab;

use crate::buffer::Marker;
use crate::machine::{ById, Downstream};
use crate::subscription::{CancelKind, StageId, Subscription, SubscriptionId};
use crate::{Cancel, Reason};

/// A consumer of one stage, for as long as it is subscribed. Small: dispatchers may index with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerKey(pub(super) usize);

impl ConsumerKey {
    /// A number below the largest count of consumers that there have been at a time; used again when a consumer has gone.
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// A subscription, seen from the producer.
pub(crate) struct Consumer<T> {
    /// Which stage it is; nothing that is no stage is another's twin.
    stage: Option<StageId>,
    pub(crate) port: Box<dyn Downstream<T>>,
    pub(crate) cancel: Cancel,
}

impl<T> Consumer<T> {
    pub(crate) fn new(port: Box<dyn Downstream<T>>, cancel: Cancel) -> Self {
        Self { stage: None, port, cancel }
    }

    /// The same, of that stage.
    pub(crate) fn of(self, stage: StageId) -> Self {
        Self { stage: Some(stage), ..self }
    }
}

/// Where a [`Dispatcher`](crate::Dispatcher) puts events: the stage's consumers, and the buffers that came back from them.
pub struct Outbox<T> {
    links: Slab<(Subscription, Consumer<T>)>,
    keys: ById<usize>,
    spares: Vec<Vec<T>>,
    pub(crate) refused: VecDeque<(ConsumerKey, usize)>,
    /// Events that a consumer did not accept, because it has ended.
    pub(crate) returned: Vec<(ConsumerKey, Vec<T>)>,
    pub(crate) released: VecDeque<Marker>,
    pub(crate) events_out: u64,
    pub(crate) discarded: u64,
    /// Events at which a function of the user's panicked when they were to be passed on.
    pub(crate) lost: u64,
}

impl<T> Outbox<T> {
    /// Sends events to a consumer, in one message.
    pub fn send(&mut self, consumer: ConsumerKey, mut events: Vec<T>) {
        if !self.try_send(consumer, &mut events) {
            self.returned.push((consumer, events));
        }
    }

    /// Sends the first `count` of the events to a consumer, and leaves the rest. What is sent whole is not copied.
    ///
    /// False if the consumer has ended, though the word is still on its way: all events stay then, in order, for others.
    #[inline]
    pub fn send_first(&mut self, consumer: ConsumerKey, count: usize, events: &mut Vec<T>) -> bool {
        if count >= events.len() {
            if self.try_send(consumer, events) {
                return true;
            }
        } else {
            let mut batch = self.spare();
            batch.extend(events.drain(..count));
            if self.try_send(consumer, &mut batch) {
                return true;
            }
            batch.append(events);
            *events = batch;
        }
        // Its demand is void all the same.
        self.returned.push((consumer, Vec::new()));
        false
    }

    /// Takes the events; false, and they stay, if the consumer has ended.
    #[inline]
    fn try_send(&mut self, consumer: ConsumerKey, events: &mut Vec<T>) -> bool {
        let count = events.len() as u64;
        let Some((subscription, consumer)) = self.links.get(consumer.0) else {
            self.discarded += count;
            events.clear();
            return true;
        };
        let is_sent = consumer.port.events(subscription.id, events);
        if is_sent {
            subscription.gauges.sent.add(count);
            self.events_out += count;
        }
        is_sent
    }

    /// An empty buffer, one that came back if there is one.
    #[inline]
    pub fn spare(&mut self) -> Vec<T> {
        self.spares.pop().unwrap_or_default()
    }

    /// Counts events that were sent and came back.
    pub(crate) fn not_sent(&mut self, events: usize) {
        self.events_out -= events as u64;
    }

    /// A consumer that is still there has given events back.
    pub(crate) fn came_back(&self, consumer: ConsumerKey, events: usize) {
        if let Some((Subscription { gauges, .. }, _)) = self.links.get(consumer.0) {
            gauges.sent.set(gauges.sent.get().saturating_sub(events as u64));
        }
    }

    /// Keeps an emptied buffer for later, if there is use for it: two for each consumer, as many as its window has batches, and one
    /// to fill meanwhile.
    #[inline]
    pub fn recycle(&mut self, mut spare: Vec<T>) {
        spare.clear();
        if spare.capacity() > 0 && self.spares.len() <= 2 * self.links.len() {
            self.spares.push(spare);
        }
    }

    /// Counts events that the dispatcher drops.
    pub fn discard(&mut self, events: usize) {
        self.discarded += events as u64;
    }

    /// A consumer's demand was used up by `events` that it does not want: it is asked for anew on the consumer's behalf.
    pub fn refuse(&mut self, consumer: ConsumerKey, events: usize) {
        self.refused.push_back((consumer, events));
    }

    /// An info's turn has come.
    pub fn release(&mut self, info: Marker) {
        self.released.push_back(info);
    }

    /// The next demand that was given back.
    pub(crate) fn next_refused(&mut self) -> Option<(ConsumerKey, usize)> {
        self.refused.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Whether the stage of that consumer has subscribed already.
    pub(crate) fn has_twin(&self, consumer: &Consumer<T>) -> bool {
        consumer.stage.is_some() && self.links.iter().any(|(_, (_, other))| other.stage == consumer.stage)
    }

    pub(crate) fn insert(&mut self, subscription: Subscription, consumer: Consumer<T>) -> ConsumerKey {
        let id = subscription.id;
        if self.links.capacity() == 0 {
            self.links.reserve_exact(1);
        }
        let key = self.links.insert((subscription, consumer));
        self.keys.insert(id, key);
        ConsumerKey(key)
    }

    pub(crate) fn remove(&mut self, id: SubscriptionId) -> Option<(ConsumerKey, Consumer<T>)> {
        let key = self.keys.remove(id)?;
        // Its key may be another's soon.
        self.refused.retain(|(consumer, _)| consumer.0 != key);
        Some((ConsumerKey(key), self.links.remove(key).1))
    }

    /// Cancels a subscription that was refused.
    pub(crate) fn reject(&mut self, id: SubscriptionId, reason: Reason) {
        if let Some((_, consumer)) = self.remove(id) {
            consumer.port.producer_gone(id, CancelKind::Cancel, reason);
        }
    }

    /// All subscriptions, the oldest first.
    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        let mut all: Vec<_> = self.links.iter().map(|(_, (subscription, _))| subscription.clone()).collect();
        all.sort_by_key(|subscription| subscription.id);
        all
    }

    #[inline]
    pub(crate) fn key(&self, id: SubscriptionId) -> Option<ConsumerKey> {
        self.keys.get(id).copied().map(ConsumerKey)
    }

    /// Tells all consumers that their producer has ended.
    pub(crate) fn close(&mut self, reason: &Reason) {
        self.keys.take();
        for (subscription, consumer) in self.links.drain() {
            consumer.port.producer_gone(subscription.id, CancelKind::Down, reason.clone());
        }
    }
}

impl<T> Drop for Outbox<T> {
    /// A task that was ended from outside says so to its neighbours, whatever it was doing.
    fn drop(&mut self) {
        self.close(&Reason::Killed);
    }
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self {
            links: Slab::new(),
            keys: ById::new(),
            spares: Vec::new(),
            refused: VecDeque::new(),
            returned: Vec::new(),
            released: VecDeque::new(),
            events_out: 0,
            discarded: 0,
            lost: 0,
        }
    }
}

impl<T> std::fmt::Debug for Outbox<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("consumers", &self.links.len()).finish_non_exhaustive()
    }
}
