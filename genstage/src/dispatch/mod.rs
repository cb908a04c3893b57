//! Dispatchers: who gets which event.

mod broadcast;
mod demand;
mod hash;
mod outbox;
mod partition;
mod slot;

pub use broadcast::{BroadcastDispatcher, Selector, check_broadcast};
pub use demand::DemandDispatcher;
pub use hash::stable_hash;
pub(crate) use outbox::Consumer;
pub use outbox::{ConsumerKey, Outbox};
pub use partition::{Partition, PartitionDispatcher, PartitionKey};

use crate::buffer::Marker;

/// Decides which consumer gets which event.
///
/// A dispatcher is a value of its stage: it learns of subscriptions and asks, and hands events to the [`Outbox`]. It keeps
/// account of its consumers' demand; the stage asks its own handler for what [`wanted`](Self::wanted) says, and buffers what
/// the dispatcher does not take. A dispatcher of one's own is named in `#[stage(producer, dispatcher = …)]`:
///
/// ```
/// use std::collections::VecDeque;
///
/// use genstage::testing::DispatcherProbe;
/// use genstage::{ConsumerKey, Dispatcher, NotDispatched, Outbox};
///
/// /// One event for each consumer in turn, as long as it wants any.
/// #[derive(Default)]
/// struct RoundRobin {
///     turns: VecDeque<(ConsumerKey, usize)>,
/// }
///
/// impl<T: Send + 'static> Dispatcher<T> for RoundRobin {
///     type Options = ();
///
///     fn subscribe(&mut self, consumer: ConsumerKey, (): ()) -> Result<(), NotDispatched> {
///         self.turns.push_back((consumer, 0));
///         Ok(())
///     }
///
///     fn cancel(&mut self, consumer: ConsumerKey, _: &mut Outbox<T>) {
///         self.turns.retain(|(other, _)| *other != consumer);
///     }
///
///     fn ask(&mut self, consumer: ConsumerKey, demand: usize, _: &mut Outbox<T>) {
///         for (_, wanted) in self.turns.iter_mut().filter(|(other, _)| *other == consumer) {
///             *wanted = wanted.saturating_add(demand);
///         }
///     }
///
///     fn wanted(&self) -> usize {
///         self.turns.iter().fold(0, |sum, (_, wanted)| sum.saturating_add(*wanted))
///     }
///
///     fn dispatch(&mut self, events: &mut Vec<T>, count: usize, out: &mut Outbox<T>) {
///         for event in events.drain(..count) {
///             // `count` is at most what is wanted: some turn comes to somebody who wants an event.
///             while let Some((consumer, wanted)) = self.turns.pop_front() {
///                 self.turns.push_back((consumer, wanted.saturating_sub(1)));
///                 if wanted > 0 {
///                     out.send(consumer, vec![event]);
///                     break;
///                 }
///             }
///         }
///     }
/// }
///
/// let mut probe = DispatcherProbe::new(RoundRobin::default());
/// let (a, b) = (probe.subscribe(())?, probe.subscribe(())?);
/// probe.ask(a, 2);
/// probe.ask(b, 1);
/// assert_eq!(probe.dispatch(vec![1, 2, 3, 4]), [4]);
/// assert_eq!(probe.sent(), [(a, vec![1]), (b, vec![2]), (a, vec![3])]);
/// # Ok::<(), NotDispatched>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not dispatch `{T}`",
    label = "not a dispatcher of `{T}`",
    note = "write `impl Dispatcher<{T}> for {Self}`, or use `demand`, `broadcast` or `partition(…)`"
)]
pub trait Dispatcher<T>: Send + 'static {
    /// What a subscription can state beyond the demand window, for instance which partition it is for.
    type Options: Send + 'static;

    /// Whether a stage may be subscribed once only.
    const ONCE: bool = false;

    /// A consumer has subscribed. It has no demand yet.
    ///
    /// # Errors
    ///
    /// Why it cannot: the subscription is cancelled with that.
    fn subscribe(&mut self, consumer: ConsumerKey, options: Self::Options) -> Result<(), NotDispatched>;

    /// A consumer has gone. Its demand is void. Called once more for one that did not accept events before: at once then, and
    /// again when the word comes that it has ended.
    fn cancel(&mut self, consumer: ConsumerKey, out: &mut Outbox<T>);

    /// A consumer asks for `demand` more events. What the dispatcher itself has queued for it goes out now.
    fn ask(&mut self, consumer: ConsumerKey, demand: usize, out: &mut Outbox<T>);

    /// How many more events the dispatcher would pass on if it had them.
    fn wanted(&self) -> usize;

    /// How many events the stage's handler is to be asked for, if it owes `owed` already.
    fn unmet(&self, owed: usize) -> usize {
        self.wanted().saturating_sub(owed)
    }

    /// How many events the stage's handler is to be asked for if it owes nothing and [`unmet`](Self::unmet) is 0: demand of
    /// consumers for whom nothing is on its way, because what they asked for turned out to be for others. The stage asks for no
    /// more than its buffer has room for.
    fn starved(&self) -> usize {
        0
    }

    /// How many of the events that come now the dispatcher takes, if `owed` were asked for; the rest waits in the stage's
    /// buffer.
    fn takes(&self, owed: usize) -> usize {
        let _ = owed;
        self.wanted()
    }

    /// Sends, or queues, the first of the events, as many as it [`takes`](Self::takes), and leaves the rest.
    fn dispatch(&mut self, events: &mut Vec<T>, count: usize, out: &mut Outbox<T>);

    /// A consumer that is going gives events back, the oldest that it was sent and did not handle; or events could not be sent
    /// to one that has ended. What is returned goes to the front of the stage's buffer, for others: that is the default.
    fn take_back(&mut self, consumer: ConsumerKey, events: Vec<T>, out: &mut Outbox<T>) -> Vec<T> {
        let _ = (consumer, out);
        events
    }

    /// How many events the dispatcher has queued itself, beside the stage's buffer.
    fn queued(&self) -> usize {
        0
    }

    /// How many of those a stage that has finished waits for. The others are discarded with its end.
    fn awaited(&self) -> usize {
        self.queued()
    }

    /// What a pipeline's start is refused for, now that all consumers have subscribed.
    ///
    /// # Errors
    ///
    /// Events that there is nobody for.
    fn check(&self) -> Result<(), NotDispatched> {
        Ok(())
    }

    /// An info comes behind all events dispatched so far. False if nothing is queued before it; if it is true, the dispatcher
    /// hands it to [`Outbox::release`] when that has gone.
    fn hold(&mut self, info: Marker) -> bool {
        let _ = info;
        false
    }
}

/// Checks that a stage's own dispatcher can dispatch its events, while the crate compiles.
pub const fn check_dispatcher<D: Dispatcher<T>, T>() {}

/// Why a dispatcher refuses a subscription.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotDispatched {
    /// A consumer of a broadcast has subscribed already.
    #[error("this consumer is subscribed already: it would get every event twice")]
    AlreadySubscribed,
    /// There is no such partition.
    #[error("there is no partition {0}")]
    NoSuchPartition(String),
    /// A pipeline has no consumer for a partition.
    #[error("partition {0} has no consumer: its events would wait for ever")]
    NoConsumer(usize),
    /// The partition has a consumer already.
    #[error("partition {0} has a consumer already")]
    PartitionTaken(String),
}
