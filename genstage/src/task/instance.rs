//! The user's part of a stage, and where it is.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task;

use super::mailbox::{Shared, WeakAddress};
use crate::message::Envelope;
use crate::role::{Role, Runnable, Stage};
use crate::subscription::{Side, Subscription, SubscriptionId};
use crate::{Batch, Cancelled, Context, Demand, Reason, Result};

/// A stage's state, and what its callbacks have said to the runtime.
pub(super) struct Instance<S: Stage> {
    pub(super) state: S,
    pub(super) cx: Context<S>,
}

/// A callback that is due.
pub(super) enum Callback<S: Stage> {
    Init,
    Demand(usize),
    Events(Batch<S::Take>),
    /// Something has come of itself.
    Sourced,
    Finished,
    /// Its place in the mailbox is free when it has been handled.
    Message(Box<dyn Envelope<S>>, Option<OwnedSemaphorePermit>),
    Subscribed(Subscription),
    Cancelled(Cancelled),
    Discarded(usize),
    Drain,
    Terminate(Reason),
}

/// What a callback came to.
pub(super) enum Outcome<T> {
    Nothing,
    /// The batch that was lent to it.
    Handled(Batch<T>),
    /// How a new producer is asked.
    Ask(SubscriptionId, Demand),
    /// The end of a subscription has been handled.
    Cancelled,
    /// So many events were discarded, and that is to be reported.
    Report(usize),
}

impl<S: Runnable> Instance<S> {
    pub(super) fn new(state: S, this: WeakAddress<S>) -> Self {
        Self { state, cx: Context::new(this) }
    }

    async fn call(&mut self, callback: Callback<S>) -> Result<Outcome<S::Take>> {
        let Self { state, cx } = self;
        match callback {
            Callback::Init => S::Role::init(state, cx).await?,
            Callback::Demand(demand) => S::Role::demand(state, demand, cx).await?,
            Callback::Events(mut batch) => {
                S::Role::events(state, &mut batch, cx).await?;
                return Ok(Outcome::Handled(batch));
            }
            Callback::Sourced => S::Role::sourced(state, cx).await?,
            Callback::Finished => S::Role::finished(state, cx).await?,
            Callback::Message(envelope, _permit) => envelope.open(state, cx).await?,
            Callback::Subscribed(subscription) if subscription.side == Side::Consumer => {
                S::Role::subscribed_by(state, &subscription, cx).await?;
            }
            Callback::Subscribed(subscription) => {
                let demand = S::Role::subscribe(state, &subscription, cx).await?;
                return Ok(Outcome::Ask(subscription.id, demand));
            }
            Callback::Cancelled(cancelled) => {
                S::Role::cancel(state, &cancelled, cx).await?;
                return Ok(Outcome::Cancelled);
            }
            Callback::Drain => S::Role::drain(state, cx).await?,
            Callback::Discarded(events) if S::Role::discarded(state, events) => {
                return Ok(Outcome::Report(events));
            }
            Callback::Discarded(_) => {}
            Callback::Terminate(reason) => S::Role::terminate(state, &reason).await,
        }
        Ok(Outcome::Nothing)
    }
}

/// Where the instance is.
pub(super) enum Place<S: Stage> {
    Here(Instance<S>),
    /// In a thread in which its callback may block.
    Away(oneshot::Receiver<Returned<S>>),
    /// It has ended, and there is no other yet.
    Gone,
}

/// What comes back from that thread.
type Returned<S> = (Instance<S>, Result<Outcome<<S as Stage>::Take>, Reason>);

impl<S: Runnable> Place<S> {
    /// Calls a callback; of a stage that blocks, in a thread in which it may.
    pub(super) async fn call(
        &mut self,
        callback: Callback<S>,
        shared: &Arc<Shared>,
    ) -> Result<Outcome<S::Take>, Reason> {
        if shared.options.blocking {
            self.send_away(callback, shared.clone());
            return self.come_back().await;
        }
        match self {
            Self::Here(instance) => instance.call(callback).await.map_err(Reason::from),
            Self::Away(_) | Self::Gone => Err(Reason::Killed),
        }
    }

    fn send_away(&mut self, callback: Callback<S>, shared: Arc<Shared>) {
        *self = match std::mem::replace(self, Self::Gone) {
            Self::Here(instance) => {
                let (sender, returned) = oneshot::channel();
                // Nobody waits for it any more if the runtime is going.
                let call = move || drop(sender.send(call_here(instance, callback, &shared)));
                // As one type for all stages, it is compiled once.
                let call: Box<dyn FnOnce() + Send> = Box::new(call);
                task::spawn_blocking(call);
                Self::Away(returned)
            }
            other => other,
        };
    }

    /// Waits until a callback that was sent away has returned. Cancellation safe.
    pub(super) async fn come_back(&mut self) -> Result<Outcome<S::Take>, Reason> {
        let Self::Away(call) = self else { return Err(Reason::Killed) };
        // A runtime that is going may not have begun the call: then its instance has gone with it.
        let (place, outcome) = match call.await {
            Ok((instance, outcome)) => (Self::Here(instance), outcome),
            Err(_) => (Self::Gone, Err(Reason::Killed)),
        };
        *self = place;
        outcome
    }

    /// How many events its last callback had emitted, if that failed.
    pub(super) fn emitted(&self) -> usize {
        match self {
            Self::Here(Instance { state, cx }) => S::Role::emitted(state, cx),
            Self::Away(_) | Self::Gone => 0,
        }
    }

    /// How many events wait within it.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Here(Instance { state, .. }) => S::Role::held(state),
            Self::Away(_) | Self::Gone => 0,
        }
    }

    /// The part of it whose callback has failed, if it has any.
    pub(super) fn culprit(&self) -> Option<Arc<str>> {
        match self {
            Self::Here(Instance { state, .. }) => S::Role::culprit(state),
            Self::Away(_) | Self::Gone => None,
        }
    }

    /// The instance, if it is here.
    pub(super) fn here(&mut self) -> Option<&mut Instance<S>> {
        match self {
            Self::Here(instance) => Some(instance),
            Self::Away(_) | Self::Gone => None,
        }
    }
}

/// Calls a callback in this thread, to its end.
fn call_here<S: Runnable>(mut instance: Instance<S>, callback: Callback<S>, shared: &Shared) -> Returned<S> {
    shared.runs_here();
    let outcome = Handle::current().block_on(guarded(instance.call(callback)));
    (instance, outcome.and_then(|outcome| outcome.map_err(Reason::from)))
}

/// What a future comes to; its panic as a reason to end. (No `async fn`: that would keep the future twice, as it came and as it runs.)
pub(crate) fn guarded<T>(future: impl Future<Output = T>) -> impl Future<Output = Result<T, Reason>> {
    let caught = AssertUnwindSafe(future).catch_unwind();
    caught.map(|caught| caught.map_err(|payload| Reason::from_panic(&*payload)))
}
