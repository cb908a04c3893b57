use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::buffer::{Buffer, Capacity, Keep, Marker};
use crate::dispatch::{Consumer, ConsumerKey, Dispatcher, NotDispatched, Outbox};
use crate::role::Kind;
use crate::subscription::{CancelKind, Subscription, SubscriptionId};
use crate::{Cancel, DemandMode, Reason};

/// The producing half of a stage: its dispatcher, its buffer, and the ledger of demand.
///
/// Two rules hold after every method: nothing is buffered that a consumer wants, and what the stage's handler owes is
/// derived from what is wanted, never counted up on its own.
pub(crate) struct Outlet<O, D> {
    pub(crate) out: Outbox<O>,
    pub(crate) dispatcher: D,
    /// Consumers may come later: the end of the last one is not that of the stage.
    pub(crate) is_open: bool,
    buffer: Buffer<O>,
    /// Events that the handler was asked for and has not emitted yet; `usize::MAX` is demand without bound, and stays.
    owed: usize,
    /// Whether what nobody wants any more leaves demand unmet: a producer-consumer goes on with its input then, as in
    /// GenStage, but only while its buffer is small.
    goes_on: bool,
    mode: DemandMode,
    /// What came while demand was accumulated, in order.
    held: VecDeque<Held<O>>,
    /// How much demand is held, and how much of that has been met beforehand.
    held_demand: usize,
    prepaid: usize,
    /// How many events are held, and how many may be.
    held_events: usize,
    held_limit: usize,
    /// Discarded events that have not been reported.
    unreported: usize,
}

/// Something that waits for demand to be forwarded.
enum Held<O> {
    /// What an ask came to when it was heard.
    Demand(usize),
    Events(Vec<O>),
    Info(Marker),
}

/// How many events that nobody wants a stage lets come together: while it accumulates demand, and has a smaller buffer; or
/// in its buffer, if it is a producer-consumer.
const HELD_EVENTS: usize = 10_000;

impl<O, D: Dispatcher<O>> Outlet<O, D> {
    pub(crate) fn new(kind: Kind, dispatcher: D, capacity: Capacity, keep: Keep) -> Self {
        let held_limit = match capacity {
            Capacity::Events(events) => events.max(HELD_EVENTS),
            Capacity::Unbounded => usize::MAX,
        };
        Self {
            out: Outbox::default(),
            dispatcher,
            is_open: false,
            buffer: Buffer::new(capacity, keep),
            owed: 0,
            goes_on: kind == Kind::ProducerConsumer,
            mode: DemandMode::Forward,
            held: VecDeque::new(),
            held_demand: 0,
            prepaid: 0,
            held_events: 0,
            held_limit,
            unreported: 0,
        }
    }

    /// A consumer that the dispatcher refuses stays until it is rejected.
    pub(super) fn subscribe(
        &mut self,
        subscription: Subscription,
        consumer: Consumer<O>,
        options: D::Options,
    ) -> Result<(), NotDispatched> {
        let twin = D::ONCE && self.out.has_twin(&consumer);
        let key = self.out.insert(subscription, consumer);
        match twin {
            true => Err(NotDispatched::AlreadySubscribed),
            false => self.dispatcher.subscribe(key, options),
        }
    }

    /// Forgets a consumer, and confirms a cancellation; under which rule it was subscribed.
    pub(super) fn remove(&mut self, id: SubscriptionId, kind: CancelKind, reason: &Reason) -> Option<Cancel> {
        let (key, consumer) = self.out.remove(id)?;
        if kind == CancelKind::Cancel {
            consumer.port.producer_gone(id, kind, reason.clone());
        }
        self.dispatcher.cancel(key, &mut self.out);
        self.serve();
        Some(consumer.cancel)
    }

    #[inline]
    pub(super) fn ask(&mut self, id: SubscriptionId, demand: usize, spare: Vec<O>) {
        self.out.recycle(spare);
        // A stage that cancelled may have asked before the producer learnt of it.
        let Some(key) = self.out.key(id) else { return };
        self.hear(key, demand);
    }

    #[inline]
    fn hear(&mut self, key: ConsumerKey, demand: usize) {
        self.dispatcher.ask(key, demand, &mut self.out);
        if !self.out.returned.is_empty() {
            let mut returned = self.take_returned();
            self.buffer.put_back(&mut returned, &[]);
        }
        if self.mode == DemandMode::Forward {
            self.serve();
            return;
        }
        let unmet = self.dispatcher.unmet(self.coming()).min(usize::MAX - self.held_demand);
        if unmet > 0 {
            self.held_demand += unmet;
            self.held.push_back(Held::Demand(unmet));
        }
    }

    pub(crate) fn set_demand(&mut self, mode: DemandMode) {
        self.mode = mode;
        // What is held back is met from the buffer in its turn; but demand that the dispatcher did not pass on is not held back.
        if self.held.is_empty() {
            self.serve();
        }
    }

    pub(crate) fn demand(&self) -> DemandMode {
        self.mode
    }

    /// Whether demand is forwarded again, and something that was held back has still to be done.
    pub(super) fn is_behind(&self) -> bool {
        self.mode == DemandMode::Forward && !self.held.is_empty()
    }

    /// Does the next thing that was held back; what the handler is to be asked for then, none if nothing was held back.
    pub(super) fn replay(&mut self) -> Option<usize> {
        if self.mode == DemandMode::Accumulate {
            return None;
        }
        match self.held.pop_front()? {
            Held::Demand(demand) => return Some(self.replay_demand(demand)),
            Held::Info(info) => self.place_info(info),
            Held::Events(mut events) => {
                self.held_events -= events.len();
                self.or_lose(&mut events, &[], Self::place);
            }
        }
        Some(0)
    }

    /// Demand is met from the buffer first. If what is buffered is not wanted any more, neither is more.
    fn replay_demand(&mut self, demand: usize) -> usize {
        self.held_demand -= demand;
        let buffered = self.buffer.len();
        self.serve();
        let due = match self.buffer.is_empty() {
            true => demand.saturating_sub(buffered),
            false => 0,
        };
        let prepaid = self.prepaid.min(demand);
        self.prepaid -= prepaid;
        self.owed += due.saturating_sub(prepaid);
        due
    }

    /// How many events are to come of what was asked for, or will be when demand is forwarded.
    fn coming(&self) -> usize {
        self.owed.saturating_add(self.held_demand - self.prepaid)
    }

    /// Sends, buffers or holds the events, and leaves an empty buffer in their place.
    #[inline]
    pub(super) fn emit(&mut self, events: &mut Vec<O>) {
        if events.is_empty() {
            return;
        }
        match self.mode {
            DemandMode::Accumulate => self.hold(events),
            DemandMode::Forward => self.place(events),
        }
        if events.capacity() == 0 {
            *events = self.out.spare();
        }
    }

    fn hold(&mut self, events: &mut Vec<O>) {
        let room = self.held_limit - self.held_events;
        let discarded = events.len().saturating_sub(room);
        events.truncate(room);
        self.discard(discarded);
        self.held_events += events.len();
        self.held.push_back(Held::Events(std::mem::take(events)));
    }

    #[inline]
    fn place(&mut self, events: &mut Vec<O>) {
        let (emitted, takes) = (events.len(), self.dispatcher.takes(self.coming()).min(events.len()));
        // Nobody wants what is buffered, so nobody wants what comes behind it.
        if self.buffer.is_empty() {
            self.dispatch(events, takes);
        }
        let dispatched = emitted - events.len();
        // What the dispatcher has no room for meets demand all the same: it goes out before anything else.
        let met = match self.goes_on && self.buffer.len() < HELD_EVENTS && dispatched == takes {
            true => dispatched,
            false => emitted,
        };
        self.meet(met);
        if !events.is_empty() {
            self.store(events);
        }
        self.serve();
    }

    /// Passes on events that no callback has emitted just now. If a function of the user's panics in that, they are lost with it;
    /// the infos behind them are not.
    fn or_lose(
        &mut self,
        events: &mut Vec<O>,
        infos: &[Marker],
        pass_on: impl FnOnce(&mut Self, &mut Vec<O>),
    ) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| pass_on(self, events))) {
            self.out.lost += events.len() as u64;
            infos.iter().for_each(|info| self.pass_info(*info));
            resume_unwind(panic);
        }
    }

    #[inline]
    fn dispatch(&mut self, events: &mut Vec<O>, count: usize) {
        self.dispatcher.dispatch(events, count, &mut self.out);
        if !self.out.returned.is_empty() {
            // It stands before what is left over.
            let mut returned = self.take_returned();
            returned.append(events);
            *events = returned;
        }
    }

    /// What consumers that have ended did not accept, in order. Their demand is void from now on, though the word that they
    /// have ended is still on its way: nothing is tried on them again.
    fn take_returned(&mut self) -> Vec<O> {
        let (mut all, mut ended) = (vec![], vec![]);
        while let Some((consumer, events)) = self.out.returned.pop() {
            let mut returned = self.dispatcher.take_back(consumer, events, &mut self.out);
            returned.append(&mut all);
            all = returned;
            ended.push(consumer);
        }
        ended.into_iter().for_each(|consumer| self.dispatcher.cancel(consumer, &mut self.out));
        all
    }

    /// A consumer that has cancelled gives back what it did not handle.
    pub(crate) fn give_back(&mut self, id: SubscriptionId, events: Vec<O>) {
        self.out.not_sent(events.len());
        let Some(key) = self.out.key(id) else {
            self.out.discard(events.len());
            return;
        };
        self.out.came_back(key, events.len());
        let mut rest = self.dispatcher.take_back(key, events, &mut self.out);
        self.buffer.put_back(&mut rest, &[]);
    }

    /// So many events have come: they meet what is owed, and then what will be.
    fn meet(&mut self, events: usize) {
        if self.owed < usize::MAX {
            let beyond = events.saturating_sub(self.owed);
            self.owed -= events - beyond;
            self.prepaid = self.held_demand.min(self.prepaid + beyond);
        }
    }

    fn discard(&mut self, events: usize) {
        self.out.discard(events);
        self.unreported += events;
    }

    /// How many events were discarded since the last look.
    pub(super) fn take_unreported(&mut self) -> usize {
        std::mem::take(&mut self.unreported)
    }

    /// Whether nothing waits to be reported, released, asked anew or replayed.
    #[inline]
    pub(super) fn has_nothing_but_demand(&self) -> bool {
        let Self { out, held, unreported, .. } = self;
        *unreported == 0 && held.is_empty() && out.released.is_empty() && out.refused.is_empty()
    }

    /// Asks anew for what a consumer refused; false if none has.
    pub(super) fn ask_anew(&mut self) -> bool {
        let refused = self.out.next_refused();
        if let Some((consumer, events)) = refused {
            self.hear(consumer, events);
        }
        refused.is_some()
    }

    /// Sends what is buffered and wanted.
    #[inline]
    fn serve(&mut self) {
        if !self.buffer.is_empty() {
            self.serve_buffered();
        }
    }

    fn serve_buffered(&mut self) {
        while !self.buffer.is_empty() && self.mode == DemandMode::Forward {
            let wanted = self.dispatcher.wanted();
            if wanted == 0 {
                return;
            }
            let mut events = self.out.spare();
            let mut released = vec![];
            self.buffer.take(wanted, &mut events, &mut released);
            let count = events.len();
            self.or_lose(&mut events, &released, |this, events| this.dispatch(events, count));
            if events.is_empty() {
                released.into_iter().for_each(|info| self.pass_info(info));
            } else {
                self.buffer.put_back(&mut events, &released);
            }
        }
    }

    fn store(&mut self, events: &mut Vec<O>) {
        let mut released = vec![];
        let discarded = self.buffer.store(events, &mut released);
        self.discard(discarded);
        released.into_iter().for_each(|info| self.pass_info(info));
    }

    /// An info comes: it waits behind events that are held, buffered, or queued by the dispatcher.
    pub(super) fn info(&mut self, info: Marker) {
        match self.held_events {
            0 => self.place_info(info),
            _ => self.held.push_back(Held::Info(info)),
        }
    }

    fn place_info(&mut self, info: Marker) {
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
    #[inline]
    pub(super) fn claim(&mut self) -> usize {
        if self.mode == DemandMode::Accumulate {
            return 0;
        }
        let coming = self.coming();
        let claim = match self.dispatcher.unmet(coming) {
            // What comes of it may be for others, for whom the dispatcher has no room: the buffer is to have it.
            0 if coming == 0 => self.dispatcher.starved().min(self.buffer.room()),
            unmet => unmet,
        };
        self.owed += claim;
        claim
    }

    /// The handler will not emit what it owes: that is asked for anew, as far as it is wanted.
    pub(super) fn disown(&mut self) {
        self.owed = 0;
    }

    /// Whether a producer-consumer may begin with its next message: its handler owes something, and the dispatcher has room for what
    /// was emitted before. Not while demand is accumulated. (Any other than one with queues leaves in the buffer only what nobody wants.)
    #[inline]
    pub(super) fn may_begin(&self) -> bool {
        self.owed > 0
            && self.mode == DemandMode::Forward
            && (self.buffer.is_empty() || self.dispatcher.takes(self.coming()) == 0)
    }

    /// How much of what is owed somebody still wants. While demand is accumulated, nothing goes to anybody.
    pub(super) fn due(&self) -> usize {
        match self.mode {
            DemandMode::Accumulate => 0,
            DemandMode::Forward => self.owed.min(self.dispatcher.wanted()),
        }
    }

    /// How many events wait until demand is forwarded.
    pub(crate) fn held(&self) -> usize {
        self.held_events
    }

    pub(crate) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Whether everything emitted has gone to those who are there to take it.
    pub(super) fn is_dispatched(&self) -> bool {
        self.buffer.is_empty() && self.held_events == 0 && self.dispatcher.awaited() == 0
    }

    /// How many events have been emitted and neither sent nor discarded.
    pub(crate) fn left(&self) -> usize {
        self.buffer.len() + self.held_events + self.dispatcher.queued()
    }

    pub(crate) fn discard_buffered(&mut self) {
        self.out.discard(self.buffer.len() + self.held_events);
        self.held_events = 0;
        self.clear();
    }

    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.held.clear();
    }
}
