use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task;

use super::mailbox::Message;
use super::{Address, Shell, WeakAddress};
use crate::demand::WindowError;
use crate::dispatch::{Consumer, Dispatcher};
use crate::machine::{Producer, Upstream};
use crate::message::{
    Call, CallEnvelope, CallError, Cast, CastEnvelope, Ended, Info, InfoEnvelope, ReplyTo, TryCastError,
};
use crate::role::{Runnable, Stage};
use crate::stream::EventStream;
use crate::subscription::{CancelKind, DispatchOptions, Subscribe, Subscription, SubscriptionId};
use crate::{Cancel, DemandMode, Reason};

/// A handle of a stage: of one that was spawned, or `app.counter` of a pipeline with a node `counter`.
///
/// Cheap to clone. Holding one keeps a stage reachable: a stage that nobody can reach any more ends.
pub struct StageRef<S: Stage> {
    address: Address<S>,
}

/// Why a stage did not subscribe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The demand options make no sense.
    #[error(transparent)]
    Demand(#[from] WindowError),
    /// The stage that was to subscribe has ended.
    #[error("the stage has ended")]
    Ended,
}

impl<S: Stage> StageRef<S> {
    pub(crate) fn new(address: Address<S>) -> Self {
        Self { address }
    }

    /// The stage's name: its node's in `pipeline!`, with `[i]` behind it for a replica.
    pub fn name(&self) -> &str {
        &self.address.shared.name
    }

    /// Whether the stage has ended.
    pub fn has_ended(&self) -> bool {
        self.address.shared.ended.initialized()
    }

    /// Waits until the stage has ended; why it has. Cancellation safe.
    pub async fn ended(&self) -> Reason {
        tokio::select! {
            reason = self.address.shared.ended.wait() => reason.clone(),
            () = self.address.sender.closed() => {
                // Its task says why, unless that was ended from outside.
                task::yield_now().await;
                self.address.shared.ended.get().cloned().unwrap_or(Reason::Killed)
            }
        }
    }

    /// Ends the stage with that reason and waits until it has ended; why it has in the end.
    ///
    /// The callback that is running is finished first; what is buffered or queued is discarded. Dropping the future does
    /// not take the request back.
    pub async fn stop(&self, reason: Reason) -> Reason
    where
        S: Runnable,
    {
        self.control(move |shell| shell.machine.end_with(reason)).await;
        self.ended().await
    }

    /// Sends a request and waits for the answer; without limit of time.
    ///
    /// Waits first for room in the mailbox. Dropping the future before there is room takes the request back.
    ///
    /// # Errors
    ///
    /// [`CallError::NoAnswer`] if the stage has ended or does so before it answers, [`CallError::Itself`] in a callback of
    /// the stage itself.
    pub async fn call<Req: Send + 'static>(&self, request: Req) -> Result<S::Reply, CallError>
    where
        S: Call<Req>,
    {
        if self.is_running_here() {
            return Err(CallError::Itself);
        }
        let (sender, reply) = oneshot::channel();
        let permit = self.permit().await.ok_or(CallError::NoAnswer)?;
        let envelope = Box::new(CallEnvelope(request, ReplyTo::new(sender)));
        self.send(Message::User(envelope, Some(permit))).map_err(|_| CallError::NoAnswer)?;
        reply.await.map_err(|_| CallError::NoAnswer)
    }

    /// As [`call`](Self::call), but waits no longer than `timeout`, for room and answer together.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call), and [`CallError::Timeout`].
    pub async fn call_within<Req: Send + 'static>(
        &self,
        timeout: Duration,
        request: Req,
    ) -> Result<S::Reply, CallError>
    where
        S: Call<Req>,
    {
        match tokio::time::timeout(timeout, self.call(request)).await {
            Ok(result) => result,
            Err(_) => Err(CallError::Timeout(timeout)),
        }
    }

    /// Sends a message, when there is room for it in the mailbox.
    ///
    /// # Errors
    ///
    /// The message, if the stage has ended.
    pub async fn cast<Msg: Send + 'static>(&self, message: Msg) -> Result<(), Ended<Msg>>
    where
        S: Cast<Msg>,
    {
        match self.permit().await {
            Some(permit) if !self.address.sender.is_closed() => {
                // A stage that ends at this very moment drops the message as one that it did not get to.
                let _ = self.send(Message::User(Box::new(CastEnvelope(message)), Some(permit)));
                Ok(())
            }
            _ => Err(Ended(message)),
        }
    }

    /// Sends a message if there is room for it in the mailbox now.
    ///
    /// # Errors
    ///
    /// The message, if there is no room or the stage has ended.
    pub fn try_cast<Msg: Send + 'static>(&self, message: Msg) -> Result<(), TryCastError<Msg>>
    where
        S: Cast<Msg>,
    {
        if self.address.sender.is_closed() {
            return Err(TryCastError::Ended(message));
        }
        match self.address.shared.permits.clone().try_acquire_owned() {
            Ok(permit) => {
                let _ = self.send(Message::User(Box::new(CastEnvelope(message)), Some(permit)));
                Ok(())
            }
            Err(_) => Err(TryCastError::Full(message)),
        }
    }

    /// Sends a message that is handled in its place among the stage's events, when there is room for it in the mailbox.
    ///
    /// # Errors
    ///
    /// The message, if the stage has ended.
    pub async fn info<Msg: Send + 'static>(&self, message: Msg) -> Result<(), Ended<Msg>>
    where
        S: Info<Msg>,
    {
        match self.permit().await {
            Some(permit) if !self.address.sender.is_closed() => {
                let _ = self.send(Message::Info(Box::new(InfoEnvelope(message)), permit));
                Ok(())
            }
            _ => Err(Ended(message)),
        }
    }

    /// Subscribes this stage to a producer; the mode is [`Cancel::Permanent`] unless the options state another.
    ///
    /// Events flow from now on, if the stage's `handle_subscribe` does not choose otherwise. If the producer has ended, a
    /// subscription that is temporary comes to nothing, and any other ends this stage with [`Reason::NoStage`].
    ///
    /// # Errors
    ///
    /// [`SubscribeError`] if the demands make no sense, or this stage has ended.
    pub async fn subscribe<P, O>(
        &self,
        producer: &StageRef<P>,
        options: Subscribe<O>,
    ) -> Result<Subscription, SubscribeError>
    where
        S: Runnable,
        P: Runnable<Give = S::Take>,
        O: DispatchOptions<<P::Dispatcher as Dispatcher<S::Take>>::Options>,
        P::Dispatcher: Dispatcher<S::Take>,
    {
        let request = self.request(producer, options)?;
        self.control(move |shell| request(shell)).await.ok_or(SubscribeError::Ended)
    }

    /// Subscribes this stage in place of a subscription that there is, which is cancelled with that reason and does not end
    /// the stage, whatever its mode.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe); the old subscription stands then.
    pub async fn resubscribe<P, O>(
        &self,
        old: &Subscription,
        reason: Reason,
        producer: &StageRef<P>,
        options: Subscribe<O>,
    ) -> Result<Subscription, SubscribeError>
    where
        S: Runnable,
        P: Runnable<Give = S::Take>,
        O: DispatchOptions<<P::Dispatcher as Dispatcher<S::Take>>::Options>,
        P::Dispatcher: Dispatcher<S::Take>,
    {
        let (request, old) = (self.request(producer, options)?, old.id);
        let replace = move |shell: &mut Shell<S>| {
            shell.machine.inlet.set_cancel(old, Cancel::Temporary);
            shell.machine.inlet.cancel(old, reason);
            request(shell)
        };
        self.control(replace).await.ok_or(SubscribeError::Ended)
    }

    fn request<P, O>(
        &self,
        producer: &StageRef<P>,
        options: Subscribe<O>,
    ) -> Result<impl FnOnce(&mut Shell<S>) -> Subscription + Send + 'static, WindowError>
    where
        S: Runnable,
        P: Runnable<Give = S::Take>,
        O: DispatchOptions<<P::Dispatcher as Dispatcher<S::Take>>::Options>,
        P::Dispatcher: Dispatcher<S::Take>,
    {
        let window = options.window(&self.address.shared.options)?;
        let cancel = options.cancel.unwrap_or(Cancel::Permanent);
        let (ours, theirs) = Subscription::pair(&producer.address.shared.name, &self.address.shared.name);
        let consumer = Consumer::new(Box::new(self.address.clone()), cancel).of(self.address.shared.id);
        let request = Request { id: ours.id, consumer: Some(consumer) };
        let options = options.options.into_options(0);
        let producer = producer.address.clone();
        Ok(move |shell: &mut Shell<S>| {
            let upstream = Producer::new(Box::new(producer.clone()), window, cancel);
            shell.machine.add_producer(theirs.clone(), upstream);
            // If the producer has ended, the request is dropped, and says so.
            let _ = producer
                .sender
                .send(Message::Control(Box::new(move |shell| request.accept(shell, ours, options))));
            theirs
        })
    }

    /// The events of this stage as a stream, which is a consumer without a task: it asks as it is read. More stages can be
    /// added with [`EventStream::and`].
    ///
    /// ```
    /// use futures_util::{StreamExt, TryStreamExt};
    /// use genstage::prelude::*;
    /// use genstage::{Subscribe, from_iter};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result {
    /// let numbers = from_iter(0..).spawn();
    /// let stream = numbers.into_stream(Subscribe::new().max_demand(100))?;
    /// let first: Vec<u32> = stream.take(10).map(|item| item.unwrap_or_default()).collect().await;
    /// assert_eq!(first, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the demands make no sense.
    pub fn into_stream<O>(&self, options: Subscribe<O>) -> Result<EventStream<S::Give>, WindowError>
    where
        S: Runnable,
        S::Dispatcher: Dispatcher<S::Give>,
        O: DispatchOptions<<S::Dispatcher as Dispatcher<S::Give>>::Options>,
    {
        EventStream::new().and(self, options)
    }

    pub(crate) fn downgrade(&self) -> WeakAddress<S> {
        self.address.downgrade()
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        self.address.shared.name.clone()
    }

    /// Where to ask this stage.
    pub(crate) fn upstream(&self) -> Box<dyn Upstream<S::Give> + Sync>
    where
        S: Runnable,
    {
        Box::new(self.address.clone())
    }

    /// Sends the stage a consumer; if it has ended, the consumer is told so.
    pub(crate) fn admit<D: Dispatcher<T>, T: Send + 'static>(
        &self,
        subscription: Subscription,
        consumer: Consumer<T>,
        options: D::Options,
    ) where
        S: Runnable<Give = T, Dispatcher = D>,
    {
        let request = Request { id: subscription.id, consumer: Some(consumer) };
        let admit = Box::new(move |shell: &mut Shell<S>| request.accept(shell, subscription, options));
        let _ = self.address.sender.send(Message::Control(admit));
    }

    /// Cancels a subscription of this stage. The producer is told, and then both sides' `handle_cancel` is called; whether
    /// the stage goes on is up to the subscription's mode. Nothing happens if it has ended already.
    pub async fn cancel(&self, subscription: &Subscription, reason: Reason)
    where
        S: Runnable,
    {
        let id = subscription.id;
        self.control(move |shell| shell.machine.inlet.cancel(id, reason)).await;
    }

    /// Asks a producer for `events` more, over a subscription with [`Demand::Manual`](crate::Demand::Manual). Nothing
    /// happens if it has ended already.
    pub async fn ask(&self, subscription: &Subscription, events: usize)
    where
        S: Runnable,
    {
        let id = subscription.id;
        self.control(move |shell| shell.machine.inlet.ask(id, events)).await;
    }

    /// Sets what the stage does with its consumers' demand.
    pub async fn set_demand(&self, mode: DemandMode)
    where
        S: Runnable,
    {
        self.control(move |shell| shell.machine.set_demand(mode)).await;
    }

    /// What the stage does with its consumers' demand; none if it has ended.
    pub async fn demand(&self) -> Option<DemandMode>
    where
        S: Runnable,
    {
        self.control(|shell| shell.machine.outlet.demand()).await
    }

    /// How many events were emitted while the stage accumulated demand, and wait until it forwards again; none if it has
    /// ended. They are at most as many as the buffer holds, or 10 000 if that is more.
    pub async fn accumulated(&self) -> Option<usize>
    where
        S: Runnable,
    {
        self.control(|shell| shell.machine.outlet.held()).await
    }

    /// How many events wait in the stage's buffer; none if it has ended.
    pub async fn buffered(&self) -> Option<usize>
    where
        S: Runnable,
    {
        self.control(|shell| shell.machine.outlet.buffered()).await
    }

    /// Does something to the stage, between two of its callbacks; none if it has ended.
    async fn control<R: Send + 'static>(
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

    fn send(&self, message: Message<S>) -> Result<(), ()> {
        self.address.sender.send(message).map_err(drop)
    }

    /// Waits for room in the mailbox; none if the stage has ended.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let permits = self.address.shared.permits.clone();
        tokio::select! {
            biased;
            permit = permits.acquire_owned() => permit.ok(),
            () = self.address.sender.closed() => None,
        }
    }

    fn is_running_here(&self) -> bool {
        task::try_id().is_some_and(|here| self.address.shared.task.get() == Some(&here))
    }
}

/// A consumer on its way to a producer. If it never arrives, because the producer has ended, it is told so.
struct Request<T> {
    id: SubscriptionId,
    consumer: Option<Consumer<T>>,
}

impl<T> Request<T> {
    fn accept<P, D>(mut self, shell: &mut Shell<P>, subscription: Subscription, options: D::Options)
    where
        P: Runnable<Give = T, Dispatcher = D>,
        D: Dispatcher<T>,
    {
        if let Some(consumer) = self.consumer.take() {
            shell.machine.add_consumer_or_reject(subscription, consumer, options);
        }
    }
}

impl<T> Drop for Request<T> {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            consumer.port.producer_gone(self.id, CancelKind::Down, Reason::NoStage);
        }
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
