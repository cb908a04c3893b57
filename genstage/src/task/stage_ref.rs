use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::deed::Whole;
use super::mailbox::Message;
use super::{Address, Shell, WeakAddress};
use crate::machine::{Origin, Upstream};
use crate::role::{Runnable, Stage};
use crate::{DemandMode, Reason, Snapshot};

/// A handle of a stage: of one that was spawned, or `app.counter` of a pipeline with a node `counter`.
///
/// Cheap to clone. Holding one keeps a stage reachable: a stage that nobody can reach any more ends.
///
/// ```
/// use genstage::prelude::*;
/// use genstage::ReplyTo;
///
/// #[stage(consumer)]
/// struct Sum(u64);
///
/// impl Consumer for Sum {
///     type Event = u64;
///
///     async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
///         self.0 += events.drain().sum::<u64>();
///         Ok(())
///     }
/// }
///
/// /// Asks for the sum so far.
/// struct SoFar;
///
/// impl Call<SoFar> for Sum {
///     type Reply = u64;
///
///     async fn handle_call(&mut self, _: SoFar, reply: ReplyTo<u64>, _: &mut Context<Self>) -> Result {
///         reply.send(self.0);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let running = pipeline! { sum = Sum(0); from_iter(0..) => sum; }.start()?;
/// println!("{} so far", running.sum.call(SoFar).await?);
/// let snapshot = running.sum.snapshot().await;
/// println!("of {:?} numbers", snapshot.map(|sum| sum.events_in));
/// running.drain().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Order
///
/// What one task does to a stage is done in that order, between two of the stage's callbacks. Calls and casts do not wait for events that
/// are queued; infos do.
///
/// # Cancellation
///
/// What a method asks of a stage is on its way when its future has been polled once; dropping the future later does not take it back, and only
/// the answer is lost. [`call`](Self::call), [`cast`](Self::cast) and [`info`](Self::info) wait for room first: dropped before there is some,
/// they have sent nothing.
pub struct StageRef<S: Stage> {
    pub(super) address: Address<S>,
}

impl<S: Stage> StageRef<S> {
    pub(crate) fn new(address: Address<S>) -> Self {
        Self { address }
    }

    /// The stage's name: its node's in `pipeline!`, with `[i]` behind it for a replica.
    pub fn name(&self) -> &str {
        &self.address.shared.name
    }

    /// Whether the stage has ended; its `terminate` comes before that.
    pub fn has_ended(&self) -> bool {
        self.address.shared.life.ended.initialized()
    }

    /// Waits until the stage has ended; why it has. Cancellation safe.
    pub async fn ended(&self) -> Reason {
        self.address.shared.life.ended.wait().await.clone()
    }

    /// Ends the stage with that reason and waits until it has ended; why it has in the end.
    ///
    /// The message that the stage is at, at most one window of events, is handled first; what is buffered or queued behind it is
    /// discarded. Dropping the future does not take the request back.
    pub async fn stop(&self, reason: Reason) -> Reason
    where
        S: Runnable,
    {
        self.deed(move |stage| stage.end_with(reason, Origin::Others)).await;
        self.ended().await
    }

    /// Sets what the stage does with its consumers' demand; returns when it does so. Nothing happens if it has ended already.
    ///
    /// With [`DemandMode::Forward`] demand that was accumulated is met, in the order in which it came. Dropping the future does not take
    /// the request back.
    ///
    /// ```
    /// use genstage::prelude::*;
    /// use genstage::{DemandMode, Subscribe};
    ///
    /// /// Counts upwards, when it is told to.
    /// #[stage(producer, demand = accumulate)]
    /// struct Counter(u64);
    ///
    /// impl Producer for Counter {
    ///     type Event = u64;
    ///
    ///     async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
    ///         let end = self.0 + demand as u64;
    ///         cx.emit_all(self.0..end);
    ///         self.0 = end;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result {
    /// let counter = Counter(0).spawn();
    /// for _ in 0..2 {
    ///     let printer = for_each(|n: u64| println!("{n}")).spawn();
    ///     printer.subscribe(&counter, Subscribe::new().max_demand(10)).await?;
    /// }
    /// counter.set_demand(DemandMode::Forward).await; // both are there: neither misses the first numbers
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_demand(&self, mode: DemandMode)
    where
        S: Runnable,
    {
        self.deed(move |stage| stage.set_demand(mode)).await;
    }

    /// What the stage does with its consumers' demand; none if it has ended. Waits until the stage is between two callbacks.
    /// Cancellation safe.
    pub async fn demand(&self) -> Option<DemandMode>
    where
        S: Runnable,
    {
        self.deed(|stage| stage.demand()).await
    }

    /// What the stage is doing, between two of its callbacks, for which it waits; none if it has ended. Cancellation safe.
    ///
    /// [`Running::watch`](crate::Running::watch) asks nobody, and sees a stage that is stuck.
    pub async fn snapshot(&self) -> Option<Snapshot>
    where
        S: Runnable,
    {
        self.deed(|stage| stage.snapshot()).await
    }

    pub(crate) fn address(&self) -> &Address<S> {
        &self.address
    }

    pub(crate) fn downgrade(&self) -> WeakAddress<S> {
        self.address.downgrade()
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        self.address.shared.name.clone()
    }

    /// Where to ask this stage.
    pub(crate) fn upstream(&self) -> impl Upstream<S::Give> + Sync + use<S>
    where
        S: Runnable,
    {
        self.address.clone()
    }

    /// Does something to the stage, between two of its callbacks; none if it has ended.
    pub(super) async fn deed<R: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut dyn Whole) -> R + Send + 'static,
    ) -> Option<R> {
        let (sender, done) = oneshot::channel();
        self.send(Message::Deed(Box::new(move |stage| drop(sender.send(deed(stage)))))).ok()?;
        done.await.ok()
    }

    /// As [`deed`](Self::deed), for what only a stage of its type can do.
    pub(super) async fn control<R: Send + 'static>(
        &self,
        control: impl FnOnce(&mut Shell<S>) -> R + Send + 'static,
    ) -> Option<R>
    where
        S: Runnable,
    {
        let (sender, done) = oneshot::channel();
        let control = Box::new(move |shell: &mut Shell<S>| drop(sender.send(control(shell))));
        self.send(Message::Control(control)).ok()?;
        done.await.ok()
    }

    pub(super) fn send(&self, message: Message<S>) -> Result<(), ()> {
        self.address.sender.send(message).map_err(drop)
    }
}

impl<S: Stage> Clone for StageRef<S> {
    fn clone(&self) -> Self {
        Self { address: self.address.clone() }
    }
}

impl<S: Stage> fmt::Debug for StageRef<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StageRef").field(&self.name()).finish()
    }
}
