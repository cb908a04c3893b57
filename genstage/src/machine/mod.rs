//! A stage's own state machine: what a message means and what is to be done next.
//!
//! Values and functions only. Messages come in through the `on_*` methods, [`Machine::next`] says which handler the
//! shell has to call, and what the handler did is reported by [`Machine::emitted`] and [`Machine::handled`]. What goes
//! to the neighbours leaves through their ports.

mod inlet;
mod outlet;
mod port;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use inlet::{Inlet, Producer};
pub(crate) use outlet::{Consumer, Consumers, Outlet};
pub(crate) use port::{Downstream, Upstream};

use crate::role::Kind;
use crate::subscription::SubscriptionId;
use crate::{Batch, Cancel, Reason};
use inlet::Input;

/// What the shell has to do next.
#[derive(Debug)]
pub(crate) enum Step<I> {
    /// Wait for a message.
    Wait,
    /// Call `handle_demand`, then report `emitted`.
    Demand(usize),
    /// Call `handle_events`, then report `emitted` and `handled`.
    Events(Batch<I>),
    /// End the stage.
    End(Reason),
}

/// A stage without its state and its handlers.
pub(crate) struct Machine<I, O> {
    kind: Kind,
    pub(crate) inlet: Inlet<I>,
    pub(crate) outlet: Outlet<O>,
    /// The stage has finished: no handler is called any more, what is buffered still goes out.
    finishing: bool,
    /// Why the stage has to end at once.
    end: Option<Reason>,
}

impl<I, O> Machine<I, O> {
    pub(crate) fn new(kind: Kind, outlet: Outlet<O>) -> Self {
        Self { kind, inlet: Inlet::new(), outlet, finishing: false, end: None }
    }

    /// Ends the stage normally as soon as everything emitted has been dispatched.
    pub(crate) fn finish(&mut self) {
        self.finishing = true;
    }

    pub(crate) fn on_ask(&mut self, id: SubscriptionId, demand: usize, spare: Vec<O>) {
        self.outlet.ask(id, demand, spare);
    }

    pub(crate) fn on_events(&mut self, id: SubscriptionId, events: Vec<I>) {
        self.inlet.enqueue(id, events);
    }

    /// One of the stage's producers has ended: known once the events it sent before have been handled.
    pub(crate) fn on_producer_down(&mut self, id: SubscriptionId, reason: Reason) {
        self.inlet.enqueue_end(id, reason);
    }

    /// One of the stage's consumers has ended.
    pub(crate) fn on_consumer_down(&mut self, id: SubscriptionId, reason: &Reason) {
        if self.outlet.remove(id) == Some(Cancel::Complete) {
            if !reason.is_normal() {
                self.end_with(Reason::Shutdown);
            } else if self.outlet.consumers.is_empty() {
                self.end_with(Reason::Normal);
            }
        }
    }

    /// Takes the events that a handler emitted; how many of them, or of those buffered, were discarded.
    pub(crate) fn emitted(&mut self, events: &mut Vec<O>) -> usize {
        self.outlet.emit(events)
    }

    /// Takes a batch back from the event handler, and asks for more where the window says so.
    pub(crate) fn handled(&mut self, batch: Batch<I>) {
        // A stage that has finished wants nothing more.
        if !self.finishing {
            self.inlet.handled(batch);
        }
    }

    /// How many events the stage's handler was asked for and has not emitted.
    pub(crate) fn owed(&self) -> usize {
        if self.finishing { 0 } else { self.outlet.owed() }
    }

    /// What to do now. To be called until it says [`Step::Wait`], and again after each message.
    pub(crate) fn next(&mut self) -> Step<I> {
        loop {
            if self.finishing && self.outlet.buffered() == 0 {
                self.end_with(Reason::Normal);
            }
            if let Some(reason) = &self.end {
                return Step::End(reason.clone());
            }
            if self.finishing {
                return Step::Wait;
            }
            if self.kind == Kind::Producer {
                return match self.outlet.claim() {
                    0 => Step::Wait,
                    demand => Step::Demand(demand),
                };
            }
            let may_begin = self.may_handle();
            match self.inlet.next(may_begin) {
                None => return Step::Wait,
                Some(Input::Events(batch)) => return Step::Events(batch),
                Some(Input::Ended(id, reason)) => self.producer_down(id, reason),
            }
        }
    }

    /// Whether another message of events may be handled. A producer-consumer handles one only while its consumers want
    /// something of it, but then the whole of it, so that its buffer holds at most what one message expands to.
    fn may_handle(&mut self) -> bool {
        if self.kind == Kind::Consumer {
            return true;
        }
        self.outlet.claim();
        self.outlet.owed() > 0
    }

    fn producer_down(&mut self, id: SubscriptionId, reason: Reason) {
        let Some(cancel) = self.inlet.remove(id) else { return };
        match cancel {
            Cancel::Complete if !reason.is_normal() => self.end_with(Reason::Shutdown),
            Cancel::Complete if self.inlet.has_producers() => {}
            Cancel::Complete => self.finish(),
            Cancel::Permanent => self.end_with(reason),
            Cancel::Transient if reason.is_failure() => self.end_with(reason),
            Cancel::Transient | Cancel::Temporary => {}
        }
    }

    fn end_with(&mut self, reason: Reason) {
        self.end.get_or_insert(reason);
    }

    /// Tells all neighbours, as the last thing, that the stage has ended; events that are still queued or buffered.
    pub(crate) fn close(&mut self, reason: &Reason) -> usize {
        self.inlet.close(reason) + self.outlet.close(reason)
    }
}

impl<I, O> Drop for Machine<I, O> {
    /// A task that was ended from outside says so to its neighbours, whatever it was doing.
    fn drop(&mut self) {
        self.close(&Reason::Killed);
    }
}
