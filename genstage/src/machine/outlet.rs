use std::collections::VecDeque;

use crate::buffer::{Buffer, Capacity, Keep, Marker};
use crate::dispatch::{Consumer, Dispatcher, Outbox};
use crate::subscription::{CancelKind, SubscriptionId};
use crate::{Cancel, DemandMode, Reason};

/// The producing half of a stage: its dispatcher, its buffer, and the ledger of demand.
///
/// Two rules hold after every method: nothing is buffered that a consumer wants, and what the stage's handler owes is
/// derived from what is wanted, never counted up on its own.
pub(crate) struct Outlet<O, D> {
    pub(crate) out: Outbox<O>,
    pub(crate) dispatcher: D,
    buffer: Buffer<O>,
    /// Events that the handler was asked for and has not emitted yet; `usize::MAX` is demand without bound, and stays.
    owed: usize,
    mode: DemandMode,
    /// Asks that came while demand was accumulated.
    held: VecDeque<(SubscriptionId, usize)>,
}

impl<O, D: Dispatcher<O>> Outlet<O, D> {
    pub(crate) fn new(dispatcher: D, capacity: Capacity, keep: Keep) -> Self {
        Self {
            out: Outbox::default(),
            dispatcher,
            buffer: Buffer::new(capacity, keep),
            owed: 0,
            mode: DemandMode::Forward,
            held: VecDeque::new(),
        }
    }

    /// Whether the dispatcher takes the consumer; if not, it is told why.
    pub(super) fn subscribe(
        &mut self,
        id: SubscriptionId,
        consumer: Consumer<O>,
        options: D::Options,
    ) -> bool {
        let key = self.out.insert(id, consumer);
        let refused = self.dispatcher.subscribe(key, options).err();
        if let Some(refused) = &refused {
            self.out.reject(id, Reason::custom(refused.to_string()));
        }
        refused.is_none()
    }

    /// Forgets a consumer, and confirms a cancellation; under which rule it was subscribed.
    pub(super) fn remove(&mut self, id: SubscriptionId, kind: CancelKind, reason: &Reason) -> Option<Cancel> {
        let (key, consumer) = self.out.remove(id)?;
        if kind == CancelKind::Cancel {
            consumer.port.producer_gone(id, kind, reason.clone());
        }
        self.dispatcher.cancel(key);
        self.serve();
        Some(consumer.cancel)
    }

    pub(super) fn ask(&mut self, id: SubscriptionId, demand: usize, spare: Vec<O>) {
        self.out.recycle(spare);
        match self.mode {
            DemandMode::Forward if self.held.is_empty() => self.hear(id, demand),
            DemandMode::Forward | DemandMode::Accumulate => self.held.push_back((id, demand)),
        }
    }

    pub(super) fn set_demand(&mut self, mode: DemandMode) {
        self.mode = mode;
        self.serve();
    }

    pub(crate) fn demand(&self) -> DemandMode {
        self.mode
    }

    /// Hears the next ask that was held back, if there is one.
    pub(super) fn replay(&mut self) -> bool {
        if self.mode == DemandMode::Accumulate {
            return false;
        }
        let held = self.held.pop_front();
        if let Some((id, demand)) = held {
            self.hear(id, demand);
        }
        held.is_some()
    }

    fn hear(&mut self, id: SubscriptionId, demand: usize) {
        // A stage that cancelled may have asked before the producer learnt of it.
        let Some(key) = self.out.key(id) else { return };
        self.dispatcher.ask(key, demand, &mut self.out);
        self.serve();
    }

    /// Sends or buffers the events, and leaves an empty buffer in their place; how many were discarded.
    pub(super) fn emit(&mut self, events: &mut Vec<O>) -> usize {
        if events.is_empty() {
            return 0;
        }
        let takes = match self.mode {
            DemandMode::Forward => self.dispatcher.takes(self.owed).min(events.len()),
            DemandMode::Accumulate => 0,
        };
        if self.owed < usize::MAX {
            self.owed = self.owed.saturating_sub(events.len());
        }
        // Nobody wants what is buffered, so nobody wants what comes behind it.
        if self.buffer.is_empty() {
            self.dispatcher.dispatch(events, takes, &mut self.out);
        }
        let discarded = if events.is_empty() { 0 } else { self.store(events) };
        if events.capacity() == 0 {
            *events = self.out.spare();
        }
        self.serve();
        discarded
    }

    /// Sends what is buffered and wanted, and asks anew for what selectors refused.
    fn serve(&mut self) {
        loop {
            for (consumer, events) in self.out.take_refused() {
                self.dispatcher.ask(consumer, events, &mut self.out);
            }
            let wanted = self.dispatcher.wanted();
            if wanted == 0 || self.buffer.is_empty() || self.mode == DemandMode::Accumulate {
                return;
            }
            let mut events = self.out.spare();
            let mut released = vec![];
            self.buffer.take(wanted, &mut events, &mut released);
            let count = events.len();
            self.dispatcher.dispatch(&mut events, count, &mut self.out);
            if events.is_empty() {
                released.into_iter().for_each(|info| self.pass_info(info));
            } else {
                self.buffer.put_back(&mut events, &released);
            }
        }
    }

    fn store(&mut self, events: &mut Vec<O>) -> usize {
        let mut released = vec![];
        let discarded = self.buffer.store(events, &mut released);
        released.into_iter().for_each(|info| self.pass_info(info));
        self.out.discard(discarded);
        discarded
    }

    /// An info comes: it waits behind what is buffered, or queued by the dispatcher.
    pub(super) fn info(&mut self, info: Marker) {
        if !self.buffer.store_info(info) {
            self.pass_info(info);
        }
    }

    fn pass_info(&mut self, info: Marker) {
        if !self.dispatcher.hold(info) {
            self.out.release(info);
        }
    }

    /// What the handler is to be asked for now; from now on it is owed.
    pub(super) fn claim(&mut self) -> usize {
        let claim = match self.dispatcher.unmet(self.owed) {
            0 if self.owed == 0 => self.dispatcher.starved(),
            unmet => unmet,
        };
        self.owed += claim;
        claim
    }

    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    /// How much of what is owed somebody still wants.
    pub(super) fn due(&self) -> usize {
        self.owed.min(self.dispatcher.wanted())
    }

    pub(crate) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn clear(&mut self) {
        self.buffer.clear();
    }
}
