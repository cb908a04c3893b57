use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::Upstream;
use crate::demand::Window;
use crate::subscription::SubscriptionId;
use crate::{Batch, Cancel, Reason};

/// A subscription, seen from the consumer.
pub(crate) struct Producer<I> {
    port: Box<dyn Upstream<I>>,
    window: Window,
    cancel: Cancel,
    /// An emptied buffer that waits for the next ask.
    spare: Vec<I>,
}

impl<I> Producer<I> {
    pub(crate) fn new(port: Box<dyn Upstream<I>>, window: Window, cancel: Cancel) -> Self {
        Self { port, window, cancel, spare: Vec::new() }
    }
}

/// What the stage has to deal with, in the order in which it came.
pub(super) enum Input<E> {
    Events(E),
    Ended(SubscriptionId, Reason),
}

/// The consuming half of a stage: its subscriptions and what came over them.
pub(crate) struct Inlet<I> {
    producers: FxHashMap<SubscriptionId, Producer<I>>,
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
            producers: FxHashMap::default(),
            queue: VecDeque::new(),
            slices: None,
            handling: None,
            scratch: Vec::new(),
            events_in: 0,
            discarded: 0,
        }
    }

    pub(crate) fn subscribe(&mut self, id: SubscriptionId, producer: Producer<I>) {
        self.producers.insert(id, producer);
    }

    /// Sends every producer its first ask.
    pub(crate) fn open(&mut self) {
        // In the order of subscribing, so that equal runs are equal.
        let mut ids: Vec<_> = self.producers.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(producer) = self.producers.get_mut(&id) {
                producer.port.ask(id, producer.window.open(), Vec::new());
            }
        }
    }

    pub(super) fn has_producers(&self) -> bool {
        !self.producers.is_empty()
    }

    pub(super) fn remove(&mut self, id: SubscriptionId) -> Option<Cancel> {
        self.producers.remove(&id).map(|producer| producer.cancel)
    }

    pub(super) fn enqueue(&mut self, id: SubscriptionId, events: Vec<I>) {
        self.queue.push_back(Input::Events((id, events)));
    }

    pub(super) fn enqueue_end(&mut self, id: SubscriptionId, reason: Reason) {
        self.queue.push_back(Input::Ended(id, reason));
    }

    /// The next batch, or the end of a producer whose events have all been handled. A new message of events is begun
    /// only if `may_begin`; one that was begun is gone through to its end.
    pub(super) fn next(&mut self, may_begin: bool) -> Option<Input<Batch<I>>> {
        if let Some(batch) = self.next_slice() {
            return Some(Input::Events(batch));
        }
        loop {
            if !may_begin && matches!(self.queue.front(), Some(Input::Events(_))) {
                return None;
            }
            match self.queue.pop_front()? {
                Input::Ended(id, reason) => return Some(Input::Ended(id, reason)),
                Input::Events((id, events)) => match self.begin(id, events) {
                    Some(batch) => return Some(Input::Events(batch)),
                    None => continue,
                },
            }
        }
    }

    /// The first batch of a message; none if its subscription is gone.
    fn begin(&mut self, id: SubscriptionId, events: Vec<I>) -> Option<Batch<I>> {
        let Some(producer) = self.producers.get(&id) else {
            self.discarded += events.len() as u64;
            return None;
        };
        if events.len() > producer.window.batch_size() {
            self.slices = Some(Slices { id, rest: events.into() });
            return self.next_slice();
        }
        Some(self.hand_out(id, events))
    }

    fn next_slice(&mut self) -> Option<Batch<I>> {
        let slices = self.slices.as_mut()?;
        let id = slices.id;
        match self.producers.get_mut(&id) {
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

    fn hand_out(&mut self, id: SubscriptionId, events: Vec<I>) -> Batch<I> {
        self.events_in += events.len() as u64;
        self.handling = Some((id, events.len()));
        Batch::new(events)
    }

    /// Takes a handled batch back: its buffer, and the demand that it met.
    pub(super) fn handled(&mut self, batch: Batch<I>) {
        let buffer = batch.into_buffer();
        let Some((id, events)) = self.handling.take() else { return };
        let Some(producer) = self.producers.get_mut(&id) else { return };
        match self.slices {
            Some(_) => self.scratch = buffer,
            None => producer.spare = buffer,
        }
        let ask = producer.window.handled(events);
        if ask > 0 {
            producer.port.ask(id, ask, std::mem::take(&mut producer.spare));
        }
    }

    /// Tells the producers that their consumer has ended; how many events were still queued.
    pub(super) fn close(&mut self, reason: &Reason) -> usize {
        for (id, producer) in self.producers.drain() {
            producer.port.consumer_down(id, reason.clone());
        }
        let queued = self.queue.drain(..).map(|input| match input {
            Input::Events((_, events)) => events.len(),
            Input::Ended(..) => 0,
        });
        queued.sum::<usize>() + self.slices.take().map_or(0, |slices| slices.rest.len())
    }
}
