use rustc_hash::FxHashMap;
use slab::Slab;

use super::Downstream;
use crate::buffer::{Buffer, Capacity, Keep};
use crate::dispatch::DemandDispatcher;
use crate::subscription::SubscriptionId;
use crate::{Cancel, Reason};

/// The producing half of a stage: its dispatcher, its buffer, and the ledger of demand.
///
/// Two rules hold after every method: nothing is buffered that a consumer wants, and what the stage's handler owes is
/// derived from what is wanted, never counted up on its own.
pub(crate) struct Outlet<O> {
    pub(crate) consumers: Consumers<O>,
    dispatcher: DemandDispatcher,
    buffer: Buffer<O>,
    /// Events that the handler was asked for and has not emitted yet.
    owed: usize,
}

impl<O> Outlet<O> {
    pub(crate) fn new(capacity: Capacity, keep: Keep) -> Self {
        Self {
            consumers: Consumers::default(),
            dispatcher: DemandDispatcher::default(),
            buffer: Buffer::new(capacity, keep),
            owed: 0,
        }
    }

    pub(crate) fn subscribe(&mut self, id: SubscriptionId, consumer: Consumer<O>) {
        let key = self.consumers.insert(id, consumer);
        self.dispatcher.subscribe(key);
    }

    /// Forgets a consumer; under which rule it was subscribed.
    pub(super) fn remove(&mut self, id: SubscriptionId) -> Option<Cancel> {
        let (key, consumer) = self.consumers.remove(id)?;
        self.dispatcher.cancel(key);
        Some(consumer.cancel)
    }

    pub(super) fn ask(&mut self, id: SubscriptionId, demand: usize, spare: Vec<O>) {
        self.consumers.recycle(spare);
        // A stage that cancelled may have asked before the producer learnt of it.
        let Some(key) = self.consumers.key(id) else { return };
        self.dispatcher.ask(key, demand);
        self.serve();
    }

    /// Sends or buffers the events, and leaves an empty buffer in their place; how many were discarded.
    pub(super) fn emit(&mut self, events: &mut Vec<O>) -> usize {
        if events.is_empty() {
            return 0;
        }
        self.owed = self.owed.saturating_sub(events.len());
        // Nobody wants what is buffered, so nobody wants what comes behind it.
        if self.buffer.is_empty() {
            self.dispatcher.dispatch(events, &mut self.consumers);
        }
        let discarded = if events.is_empty() { 0 } else { self.buffer.store(events) };
        if events.capacity() == 0 {
            *events = self.consumers.spare();
        }
        self.consumers.discarded += discarded as u64;
        discarded
    }

    /// Sends what is buffered and wanted.
    fn serve(&mut self) {
        let wanted = self.dispatcher.wanted();
        if wanted > 0 && !self.buffer.is_empty() {
            let mut events = self.consumers.spare();
            self.buffer.take(wanted, &mut events);
            self.dispatcher.dispatch(&mut events, &mut self.consumers);
            debug_assert!(events.is_empty(), "the dispatcher sends what it wants");
        }
    }

    /// What is wanted and not owed yet; from now on it is owed.
    pub(super) fn claim(&mut self) -> usize {
        let unmet = self.dispatcher.wanted().saturating_sub(self.owed);
        self.owed += unmet;
        unmet
    }

    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    pub(super) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Tells the consumers that their producer has ended; how many events were still buffered.
    pub(super) fn close(&mut self, reason: &Reason) -> usize {
        self.consumers.close(reason);
        self.buffer.clear()
    }
}

/// A subscription, seen from the producer.
pub(crate) struct Consumer<O> {
    port: Box<dyn Downstream<O>>,
    cancel: Cancel,
}

impl<O> Consumer<O> {
    pub(crate) fn new(port: Box<dyn Downstream<O>>, cancel: Cancel) -> Self {
        Self { port, cancel }
    }
}

/// The consumers of a stage, by small keys that dispatchers can index with, and the buffers that came back from them.
pub(crate) struct Consumers<O> {
    links: Slab<(SubscriptionId, Consumer<O>)>,
    keys: FxHashMap<SubscriptionId, usize>,
    spares: Vec<Vec<O>>,
    pub(crate) events_out: u64,
    pub(crate) discarded: u64,
}

impl<O> Default for Consumers<O> {
    fn default() -> Self {
        Self {
            links: Slab::new(),
            keys: FxHashMap::default(),
            spares: Vec::new(),
            events_out: 0,
            discarded: 0,
        }
    }
}

impl<O> Consumers<O> {
    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    pub(super) fn insert(&mut self, id: SubscriptionId, consumer: Consumer<O>) -> usize {
        let key = self.links.insert((id, consumer));
        self.keys.insert(id, key);
        key
    }

    fn remove(&mut self, id: SubscriptionId) -> Option<(usize, Consumer<O>)> {
        let key = self.keys.remove(&id)?;
        Some((key, self.links.remove(key).1))
    }

    fn key(&self, id: SubscriptionId) -> Option<usize> {
        self.keys.get(&id).copied()
    }

    /// Sends the first `count` of the events to a consumer and leaves the rest.
    pub(crate) fn send_first(&mut self, consumer: usize, count: usize, events: &mut Vec<O>) {
        let batch = if count == events.len() {
            std::mem::take(events)
        } else {
            let mut batch = self.spare();
            batch.extend(events.drain(..count));
            batch
        };
        let (id, consumer) = &self.links[consumer];
        match consumer.port.events(*id, batch) {
            Ok(()) => self.events_out += count as u64,
            // It has ended; that it did is on its way to us.
            Err(_) => self.discarded += count as u64,
        }
    }

    /// Keeps an emptied buffer for later, if there is use for it: one for each consumer, and one to fill meanwhile.
    fn recycle(&mut self, spare: Vec<O>) {
        if spare.capacity() > 0 && self.spares.len() <= self.links.len() {
            self.spares.push(spare);
        }
    }

    fn spare(&mut self) -> Vec<O> {
        self.spares.pop().unwrap_or_default()
    }

    fn close(&mut self, reason: &Reason) {
        self.keys.clear();
        for (id, consumer) in self.links.drain() {
            consumer.port.producer_down(id, reason.clone());
        }
    }
}
