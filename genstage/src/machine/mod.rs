//! A stage's own state machine: what a message means and what is to be done next.
//!
//! Values and functions only. Messages come in through the `on_*` methods, [`Machine::next`] says which callback the
//! shell has to call, and what the callback did is reported by [`Machine::emitted`], [`Machine::handled`],
//! [`Machine::subscribed`] and [`Machine::cancelled`]. What goes to the neighbours leaves through their ports.

mod by_id;
mod inlet;
#[cfg(test)]
mod invariants;
mod outlet;
mod port;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub(crate) use by_id::ById;
pub(crate) use inlet::Pace;
pub(crate) use inlet::{Inlet, Producer};
pub(crate) use outlet::Outlet;
pub(crate) use port::{Downstream, Upstream};

use crate::buffer::Marker;
use crate::dispatch::{Consumer, Dispatcher, NotDispatched};
use crate::role::Kind;
use crate::subscription::{CancelKind, Cancelled, Demand, Side, Subscription, SubscriptionId};
use crate::{Cancel, DemandMode, Reason};
use inlet::Input;

/// What the shell has to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Wait for a message.
    Wait,
    /// Call `handle_demand`, then report `emitted`.
    Demand(usize),
    /// Call `handle_events` with the inlet's batch, then report `emitted` and `handled`.
    Events,
    /// Call the handler of an info whose turn has come, then report `emitted`.
    Info(Marker),
    /// Call the subscribe callback of that side, then report `emitted` and, of a producer, `subscribed`.
    Subscribed(Subscription),
    /// Call `handle_cancel`, then report `emitted` and `cancelled`.
    Cancelled(Cancelled),
    /// Call `on_drain`.
    Drain,
    /// Call `on_discarded`.
    Discarded(usize),
    /// End the stage.
    End(Reason, Origin),
}

/// Who wants a stage to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A callback of its own.
    Itself,
    /// Its neighbours, a handle, or that nobody is left who could reach it.
    Others,
    /// The strategy by which its pipeline restarts stages.
    Strategy,
}

/// What the end of a subscription does to the stage, after its callback.
#[derive(Clone, Debug)]
pub(crate) enum Consequence {
    GoOn,
    Finish,
    End(Reason),
}

/// A stage without its state and its handlers.
pub(crate) struct Machine<I, O, D> {
    kind: Kind,
    pub(crate) inlet: Inlet<I>,
    pub(crate) outlet: Outlet<O, D>,
    /// Callbacks that are due, in the order in which they became so.
    callbacks: VecDeque<Callback>,
    /// The end of a subscription whose callback is running.
    ending: Option<Consequence>,
    /// The stage has finished: no handler is called any more, what is buffered still goes out.
    finishing: Option<Origin>,
    /// The stage is to finish when its producers have; a producer, when it says so.
    draining: bool,
    /// How many children keep a stage that has finished from ending.
    pub(crate) children: usize,
    /// Why the stage has to end at once.
    end: Option<(Reason, Origin)>,
}

enum Callback {
    Drain,
    Subscribed(Subscription),
    Cancelled(Cancelled, Consequence),
}

impl<I, O, D: Dispatcher<O>> Machine<I, O, D> {
    pub(crate) fn new(kind: Kind, outlet: Outlet<O, D>) -> Self {
        let (inlet, callbacks) = (Inlet::new(), VecDeque::new());
        Self {
            kind,
            inlet,
            outlet,
            callbacks,
            ending: None,
            finishing: None,
            draining: false,
            children: 0,
            end: None,
        }
    }

    /// Ends the stage normally as soon as everything emitted has been dispatched.
    pub(crate) fn finish(&mut self, origin: Origin) {
        self.finishing.get_or_insert(origin);
    }

    /// Ends the stage before anything else is done.
    pub(crate) fn end_with(&mut self, reason: Reason, origin: Origin) {
        self.end.get_or_insert((reason, origin));
    }

    /// A producer that the stage has subscribed to. It is asked for nothing before the callback.
    pub(crate) fn add_producer(&mut self, subscription: Subscription, producer: Producer<I>) {
        self.inlet.subscribe(subscription.clone(), producer);
        self.callbacks.push_back(Callback::Subscribed(subscription));
    }

    /// A consumer that has subscribed to the stage.
    pub(crate) fn add_consumer(
        &mut self,
        subscription: Subscription,
        consumer: Consumer<O>,
        options: D::Options,
    ) -> Result<(), NotDispatched> {
        self.outlet.subscribe(subscription.clone(), consumer, options)?;
        self.callbacks.push_back(Callback::Subscribed(subscription));
        Ok(())
    }

    /// As [`add_consumer`](Self::add_consumer); one that the dispatcher refuses has its subscription cancelled.
    pub(crate) fn add_consumer_or_reject(
        &mut self,
        subscription: Subscription,
        consumer: Consumer<O>,
        options: D::Options,
    ) {
        let id = subscription.id;
        if let Err(refused) = self.add_consumer(subscription, consumer, options) {
            self.outlet.out.reject(id, Reason::custom(refused.to_string()));
        }
    }

    /// The callback of a new producer has chosen.
    pub(crate) fn subscribed(&mut self, id: SubscriptionId, demand: Demand) {
        self.inlet.open(id, demand);
    }

    #[inline]
    pub(crate) fn on_ask(&mut self, id: SubscriptionId, demand: usize, spare: Vec<O>) {
        self.outlet.ask(id, demand, spare);
    }

    #[inline]
    pub(crate) fn on_events(&mut self, id: SubscriptionId, events: Vec<I>) {
        self.inlet.enqueue(id, events);
    }

    /// An info has come: it waits behind the events that are queued or buffered.
    pub(crate) fn on_info(&mut self, info: Marker) {
        match self.kind {
            Kind::Consumer | Kind::ConsumerSupervisor => self.outlet.out.release(info),
            Kind::ProducerConsumer if self.inlet.enqueue_info(info) => {}
            Kind::Producer | Kind::ProducerConsumer => self.outlet.info(info),
        }
    }

    /// One of the stage's producers has ended, or has cancelled the subscription: known once the events it sent before
    /// have been handled.
    pub(crate) fn on_producer_gone(&mut self, id: SubscriptionId, kind: CancelKind, reason: Reason) {
        self.inlet.enqueue_gone(id, kind, reason);
    }

    /// One of the stage's consumers has ended, or has cancelled its subscription: it gets nothing from now on.
    pub(crate) fn on_consumer_gone(&mut self, id: SubscriptionId, kind: CancelKind, reason: Reason) {
        let Some(cancel) = self.outlet.remove(id, kind, &reason) else { return };
        let consequence = match cancel {
            Cancel::Complete if !reason.is_normal() => Consequence::End(Reason::Shutdown),
            Cancel::Complete if self.outlet.out.is_empty() && !self.outlet.is_open => {
                Consequence::End(Reason::Normal)
            }
            _ => Consequence::GoOn,
        };
        let cancelled = Cancelled::new(id, Side::Consumer, kind, reason);
        self.callbacks.push_back(Callback::Cancelled(cancelled, consequence));
    }

    /// Has the stage end when everything that is on its way has been handled. What it accumulates goes out.
    pub(crate) fn drain(&mut self) {
        if self.draining {
            return;
        }
        self.draining = true;
        self.set_demand(DemandMode::Forward);
        self.begin_to_drain();
    }

    fn begin_to_drain(&mut self) {
        match self.kind {
            Kind::Producer => self.callbacks.push_back(Callback::Drain),
            _ if self.inlet.has_producers() => {}
            _ => self.finish(Origin::Others),
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    pub(crate) fn is_finishing(&self) -> bool {
        self.finishing.is_some()
    }

    pub(crate) fn set_demand(&mut self, mode: DemandMode) {
        self.outlet.set_demand(mode);
    }

    /// Takes the events that a callback emitted.
    #[inline]
    pub(crate) fn emitted(&mut self, events: &mut Vec<O>) {
        self.outlet.emit(events);
    }

    /// The event handler is done with its batch: asks for more where the window says so.
    #[inline]
    pub(crate) fn handled(&mut self) {
        match self.kind {
            // They are with its children still.
            Kind::ConsumerSupervisor => self.inlet.handed_over(),
            // A stage that has finished wants nothing more.
            _ => self.inlet.handled(self.finishing.is_none()),
        }
    }

    /// The callback of a subscription's end has been called.
    pub(crate) fn cancelled(&mut self) {
        match self.ending.take() {
            Some(Consequence::GoOn) | None => {}
            Some(Consequence::Finish) => self.finish(Origin::Others),
            Some(Consequence::End(reason)) => self.end_with(reason, Origin::Others),
        }
    }

    /// The child of an event that came over that subscription has ended.
    pub(crate) fn freed(&mut self, id: SubscriptionId) {
        if self.finishing.is_none() {
            self.inlet.freed(id);
        }
    }

    /// How many events were in the batch that the handler has.
    pub(crate) fn handling(&self) -> usize {
        self.inlet.handling()
    }

    /// The stage is begun anew with fresh state. Its subscriptions and what it has queued, buffered and been asked for stand; the
    /// new state learns of each subscription, and of demand that the old one has not met.
    pub(crate) fn renew(&mut self) {
        self.finishing.take_if(|origin| *origin == Origin::Itself);
        self.end.take_if(|(_, origin)| *origin != Origin::Others);
        self.cancelled();
        self.outlet.disown();
        self.callbacks.retain(|callback| matches!(callback, Callback::Cancelled(..)));
        for subscription in
            self.outlet.out.subscriptions().into_iter().chain(self.inlet.subscriptions()).rev()
        {
            self.callbacks.push_front(Callback::Subscribed(subscription));
        }
        if self.draining {
            self.begin_to_drain();
        }
        // What the old state did not get through met its demand all the same.
        self.handled();
    }

    /// How many events are wanted that the stage's handler was asked for and has not emitted.
    pub(crate) fn due(&self) -> usize {
        if self.finishing.is_some() { 0 } else { self.outlet.due() }
    }

    /// What to do now. To be called until it says [`Step::Wait`], and again after each message.
    #[inline]
    pub(crate) fn next(&mut self) -> Step {
        // As it mostly is.
        if self.callbacks.is_empty()
            && self.finishing.is_none()
            && self.end.is_none()
            && self.outlet.has_nothing_but_demand()
        {
            return self.work();
        }
        self.next_of_all()
    }

    fn next_of_all(&mut self) -> Step {
        loop {
            let discarded = self.outlet.take_unreported();
            if discarded > 0 {
                return Step::Discarded(discarded);
            }
            if let Some(origin) = self.finishing
                && self.children == 0
                && (self.outlet.is_dispatched() || self.draining && self.outlet.out.is_empty())
            {
                self.end_with(Reason::Normal, origin);
            }
            if let Some((reason, origin)) = &self.end {
                return Step::End(reason.clone(), *origin);
            }
            let callback = self.callbacks.pop_front();
            if self.callbacks.is_empty() {
                // They come as seldom as subscriptions.
                self.callbacks.shrink_to_fit();
            }
            match callback {
                Some(Callback::Drain) => return Step::Drain,
                Some(Callback::Subscribed(subscription)) => return Step::Subscribed(subscription),
                Some(Callback::Cancelled(cancelled, then)) => {
                    self.ending = Some(then);
                    return Step::Cancelled(cancelled);
                }
                None => {}
            }
            if let Some(info) = self.outlet.out.released.pop_front() {
                return Step::Info(info);
            }
            // What was held back comes before anything new.
            if self.finishing.is_none() && !self.outlet.is_behind() {
                match self.work() {
                    Step::Wait => {}
                    step => return step,
                }
            }
            if self.outlet.ask_anew() {
                continue;
            }
            // What was held back is done one by one.
            match self.outlet.replay() {
                None => return Step::Wait,
                Some(demand) if demand > 0 && self.finishing.is_none() => return Step::Demand(demand),
                Some(_) => {}
            }
        }
    }

    /// The next call of the stage's own handler, if one is due.
    #[inline]
    fn work(&mut self) -> Step {
        if self.kind == Kind::Producer {
            return match self.outlet.claim() {
                0 => Step::Wait,
                demand => Step::Demand(demand),
            };
        }
        // A producer-consumer begins a message only while its consumers want something of it.
        let may_begin = self.kind != Kind::ProducerConsumer || {
            self.outlet.claim();
            self.inlet.may_begin(self.outlet.may_begin())
        };
        if self.inlet.is_empty() {
            return Step::Wait;
        }
        match self.inlet.next(may_begin) {
            None => return Step::Wait,
            Some(Input::Events(())) => return Step::Events,
            Some(Input::Info(info)) => self.outlet.info(info),
            Some(Input::Gone { gone, .. }) => self.producer_gone(gone),
        }
        // It was no work after all: look again.
        self.next()
    }

    fn producer_gone(&mut self, gone: Cancelled) {
        let Some(cancel) = self.inlet.remove(gone.id) else { return };
        let reason = gone.reason.clone();
        let consequence = match cancel {
            _ if self.draining && reason.is_normal() && self.inlet.has_producers() => Consequence::GoOn,
            _ if self.draining && reason.is_normal() => Consequence::Finish,
            Cancel::Complete if !reason.is_normal() => Consequence::End(Reason::Shutdown),
            Cancel::Complete if self.inlet.has_producers() => Consequence::GoOn,
            Cancel::Complete => Consequence::Finish,
            Cancel::Permanent => Consequence::End(reason),
            Cancel::Transient if reason.is_failure() => Consequence::End(reason),
            Cancel::Transient | Cancel::Temporary => Consequence::GoOn,
        };
        self.callbacks.push_back(Callback::Cancelled(gone, consequence));
    }

    /// How many events reached the stage, or were emitted, and nobody will see.
    pub(crate) fn discarded(&self) -> u64 {
        self.inlet.discarded + self.outlet.out.discarded
    }

    /// How many events are queued or buffered.
    pub(crate) fn left(&self) -> usize {
        self.inlet.queued() + self.outlet.left()
    }

    /// Drops what is queued or buffered.
    pub(crate) fn clear(&mut self) {
        self.inlet.clear();
        self.outlet.clear();
    }

    /// Tells all neighbours, as the last thing, that the stage has ended.
    pub(crate) fn close(&mut self, reason: &Reason) {
        self.inlet.close(reason);
        self.outlet.out.close(reason);
    }
}
