//! Subscribing stages to one another at run time.

use tokio::sync::oneshot;

use super::StageRef;
use super::deed::{Gives, Takes};
use super::mailbox::Message;
use crate::demand::WindowError;
use crate::dispatch::{Consumer, Dispatcher};
use crate::machine::Producer;
use crate::role::{Runnable, Stage};
use crate::stream::EventStream;
use crate::subscription::{CancelKind, DispatchOptions, Subscribe, Subscription, SubscriptionId};
use crate::{Cancel, Reason};

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
    /// The stage is fused to the one before it, `a |> stage`: that is all it takes events from.
    #[error("the stage is fused to the one before it, and takes events from no other")]
    Fused,
}

impl<S: Stage> StageRef<S> {
    /// Subscribes this stage to a producer; the mode is [`Cancel::Permanent`] unless the options state another.
    ///
    /// Events flow from now on, if the stage's `handle_subscribe` does not choose otherwise. If the producer has ended, a
    /// subscription that is temporary comes to nothing, and any other ends this stage with [`Reason::NoStage`].
    ///
    /// ```
    /// use genstage::prelude::*;
    /// use genstage::{Cancel, Reason, Subscribe};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result {
    /// let numbers = from_iter(0..).spawn();
    /// let printer = for_each(|n: u32| println!("{n}")).spawn();
    /// let options = Subscribe::new().max_demand(100).cancel(Cancel::Temporary);
    /// let subscription = printer.subscribe(&numbers, options).await?;
    /// assert_eq!(subscription.peer(), "FromIter");
    ///
    /// printer.cancel(&subscription, Reason::Normal).await; // both go on: it was temporary
    /// printer.subscribe(&numbers, options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SubscribeError`] if the demands make no sense, this stage has ended, or it is fused to the one before it.
    ///
    /// # Cancellation
    ///
    /// Dropping the future, once it has been polled, leaves the stage subscribed.
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
        self.input(request).await
    }

    /// Subscribes this stage in place of a subscription that there is, which is cancelled with that reason and does not end
    /// the stage, whatever its mode.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe); the old subscription stands then.
    ///
    /// # Cancellation
    ///
    /// As [`subscribe`](Self::subscribe).
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
        let replace = move |stage: &mut dyn Takes<S::Take>| {
            stage.give_up(old, reason);
            request(stage)
        };
        self.input(replace).await
    }

    /// Subscribes the stage as that says, between two of its callbacks.
    async fn input(
        &self,
        request: impl FnOnce(&mut dyn Takes<S::Take>) -> Subscription + Send + 'static,
    ) -> Result<Subscription, SubscribeError> {
        let (sender, done) = oneshot::channel();
        let request = Box::new(move |stage: &mut dyn Takes<S::Take>| drop(sender.send(request(stage))));
        self.send(Message::Input(request)).map_err(|()| SubscribeError::Ended)?;
        done.await.map_err(|_| SubscribeError::Ended)
    }

    fn request<P, O>(
        &self,
        producer: &StageRef<P>,
        options: Subscribe<O>,
    ) -> Result<impl FnOnce(&mut dyn Takes<S::Take>) -> Subscription + Send + 'static, SubscribeError>
    where
        S: Runnable,
        P: Runnable<Give = S::Take>,
        O: DispatchOptions<<P::Dispatcher as Dispatcher<S::Take>>::Options>,
        P::Dispatcher: Dispatcher<S::Take>,
    {
        if !self.address.sender.has_input() {
            return Err(SubscribeError::Fused);
        }
        let window = options.window(&self.address.shared.options)?;
        let cancel = options.cancel.unwrap_or(Cancel::Permanent);
        let (ours, theirs) =
            Subscription::pair(&producer.address.shared.name, &self.address.shared.name, window.bounds().0);
        let consumer = Consumer::new(Box::new(self.address.clone()), cancel).of(self.address.shared.id);
        let request = Request { id: ours.id, consumer: Some(consumer) };
        let producer = producer.address.clone();
        let upstream = Producer { port: options.way(producer.clone()), window, cancel };
        let options = options.options.into_options(0);
        Ok(move |stage: &mut dyn Takes<S::Take>| {
            stage.add_producer(theirs.clone(), upstream);
            // If the producer has ended, the request is dropped, and says so.
            let _ =
                producer.sender.send(Message::Output(Box::new(|stage| request.accept(stage, ours, options))));
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
        let admit = Box::new(|stage: &mut dyn Gives<T, D>| request.accept(stage, subscription, options));
        let _ = self.address.sender.send(Message::Output(admit));
    }

    /// Cancels a subscription of this stage. The producer is told, and then both sides' `handle_cancel` is called, behind all events
    /// that were on their way; whether the stage goes on is up to the subscription's mode. Nothing happens if it has ended already.
    /// Dropping the future does not take the request back.
    pub async fn cancel(&self, subscription: &Subscription, reason: Reason)
    where
        S: Runnable,
    {
        let id = subscription.id;
        self.deed(move |stage| stage.cancel(id, reason)).await;
    }

    /// Asks a producer for `events` more, over a subscription with [`Demand::Manual`](crate::Demand::Manual). Nothing
    /// happens if it has ended already. Dropping the future does not take the request back.
    pub async fn ask(&self, subscription: &Subscription, events: usize)
    where
        S: Runnable,
    {
        let id = subscription.id;
        self.deed(move |stage| stage.ask(id, events)).await;
    }
}

/// A consumer on its way to a producer. If it never arrives, because the producer has ended, it is told so.
struct Request<T> {
    id: SubscriptionId,
    consumer: Option<Consumer<T>>,
}

impl<T> Request<T> {
    fn accept<D: Dispatcher<T>>(
        mut self,
        stage: &mut dyn Gives<T, D>,
        subscription: Subscription,
        options: D::Options,
    ) {
        if let Some(consumer) = self.consumer.take() {
            stage.add_consumer(subscription, consumer, options);
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
