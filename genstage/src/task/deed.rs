//! What others do to a stage between two of its callbacks, by what they have to know of it: so that the handle of a part of a
//! fused stage can do it to the whole.

use super::Shell;
use crate::dispatch::{Consumer, Dispatcher};
use crate::machine::{Origin, Producer};
use crate::role::Runnable;
use crate::subscription::{Subscription, SubscriptionId};
use crate::{Cancel, DemandMode, Reason, Snapshot};

pub(crate) type Deed = dyn FnOnce(&mut dyn Whole) + Send;
pub(crate) type Input<I> = dyn FnOnce(&mut dyn Takes<I>) + Send;
pub(crate) type Output<O, D> = dyn FnOnce(&mut dyn Gives<O, D>) + Send;

/// A stage of whatever type.
pub(crate) trait Whole {
    fn end_with(&mut self, reason: Reason, origin: Origin);
    fn set_demand(&mut self, mode: DemandMode);
    fn demand(&self) -> DemandMode;
    fn snapshot(&self) -> Snapshot;
    fn cancel(&mut self, id: SubscriptionId, reason: Reason);
    fn ask(&mut self, id: SubscriptionId, events: usize);
}

impl<S: Runnable> Whole for Shell<S> {
    fn end_with(&mut self, reason: Reason, origin: Origin) {
        self.machine.end_with(reason, origin);
    }

    fn set_demand(&mut self, mode: DemandMode) {
        self.machine.set_demand(mode);
    }

    fn demand(&self) -> DemandMode {
        self.machine.outlet.demand()
    }

    fn snapshot(&self) -> Snapshot {
        Self::snapshot(self)
    }

    fn cancel(&mut self, id: SubscriptionId, reason: Reason) {
        self.machine.inlet.cancel(id, reason);
    }

    fn ask(&mut self, id: SubscriptionId, events: usize) {
        self.machine.inlet.ask(id, events);
    }
}

/// A stage that takes in events of that type.
pub(crate) trait Takes<I> {
    fn add_producer(&mut self, subscription: Subscription, producer: Producer<I>);
    /// Cancels a subscription, whose end does not end the stage.
    fn give_up(&mut self, id: SubscriptionId, reason: Reason);
}

impl<S: Runnable<Take = I>, I> Takes<I> for Shell<S> {
    fn add_producer(&mut self, subscription: Subscription, producer: Producer<I>) {
        self.machine.add_producer(subscription, producer);
    }

    fn give_up(&mut self, id: SubscriptionId, reason: Reason) {
        self.machine.inlet.set_cancel(id, Cancel::Temporary);
        self.machine.inlet.cancel(id, reason);
    }
}

/// A stage that gives out events of that type, by that dispatcher.
pub(crate) trait Gives<O, D> {
    /// A consumer that the dispatcher refuses has its subscription cancelled.
    fn add_consumer(&mut self, subscription: Subscription, consumer: Consumer<O>, options: D::Options)
    where
        D: Dispatcher<O>;
}

impl<S: Runnable<Give = O, Dispatcher = D>, O, D> Gives<O, D> for Shell<S> {
    fn add_consumer(&mut self, subscription: Subscription, consumer: Consumer<O>, options: D::Options)
    where
        D: Dispatcher<O>,
    {
        self.machine.add_consumer_or_reject(subscription, consumer, options);
    }
}
