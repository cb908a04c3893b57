//! Stages that stand in for a producer or a consumer.

#![expect(clippy::panic, reason = "what a test expects and does not get is a panic")]

use std::fmt::Debug;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::settle;
use crate::prelude::*;
use crate::{Cancelled, Demand, Reason, StageRef, Subscription};

/// Something that a probe's stage has seen.
enum Seen<S: crate::Stage, T> {
    Subscribed(Option<StageRef<S>>, Subscription),
    Demand(usize),
    Events(Vec<T>),
    Cancelled(Cancelled),
}

/// What a probe has seen, and has not been asked about.
struct Log<S: crate::Stage, T> {
    seen: UnboundedReceiver<Seen<S, T>>,
    stage: Option<StageRef<S>>,
    subscriptions: Vec<Subscription>,
    demands: Vec<usize>,
    batches: Vec<Vec<T>>,
    cancelled: Vec<Cancelled>,
}

impl<S: crate::Stage, T> Log<S, T> {
    fn new(seen: UnboundedReceiver<Seen<S, T>>) -> Self {
        let (subscriptions, demands, batches, cancelled) = Default::default();
        Self { seen, stage: None, subscriptions, demands, batches, cancelled }
    }

    /// Waits until nothing happens any more and reads what has.
    async fn settle(&mut self) {
        settle().await;
        while let Ok(seen) = self.seen.try_recv() {
            match seen {
                Seen::Subscribed(stage, subscription) => {
                    self.stage = stage;
                    self.subscriptions.push(subscription);
                }
                Seen::Demand(demand) => self.demands.push(demand),
                Seen::Events(events) => self.batches.push(events),
                Seen::Cancelled(cancelled) => self.cancelled.push(cancelled),
            }
        }
    }

    async fn stage(&mut self) -> StageRef<S> {
        self.settle().await;
        self.stage.clone().unwrap_or_else(|| panic!("the probe's stage has no subscription"))
    }

    async fn expect_cancel(&mut self) -> Cancelled {
        self.settle().await;
        match self.cancelled.is_empty() {
            true => panic!("expected the end of a subscription"),
            false => self.cancelled.remove(0),
        }
    }
}

/// Stands in for a producer: emits exactly what the test says, and knows what was asked.
///
/// Needs tokio's paused clock, as [`settle`] does. A middle stage, tested alone:
///
/// ```
/// use genstage::prelude::*;
/// use genstage::testing::{ConsumerProbe, ProducerProbe};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result {
/// # tokio::time::pause();
/// let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
/// let _app = pipeline! { source = source; sink = sink; source => map(|n: u32| n + 1) => sink; }.start()?;
/// up.expect_demand(1000).await;
/// up.emit([1, 2, 3]).await;
/// down.expect_no_events().await;
/// down.ask(2).await;
/// down.expect_events([2, 3]).await;
/// # Ok(())
/// # }
/// ```
pub struct ProducerProbe<T: Send + 'static> {
    log: Log<ProbedProducer<T>, T>,
}

/// The stage of a [`ProducerProbe`].
#[stage(producer, buffer_size = unbounded)]
pub struct ProbedProducer<T: Send + 'static> {
    seen: UnboundedSender<Seen<Self, T>>,
}

struct Emit<T>(Vec<T>);

impl<T: Send + 'static> ProducerProbe<T> {
    /// A probe and its stage: a node of a pipeline, or to be spawned.
    pub fn new() -> (Self, ProbedProducer<T>) {
        let (seen, log) = unbounded_channel();
        (Self { log: Log::new(log) }, ProbedProducer { seen })
    }

    /// Emits events, asked for or not, in one callback of the stage. They have arrived when the next method of a probe goes on.
    pub async fn emit(&mut self, events: impl IntoIterator<Item = T>) {
        // A stage that has ended emits nothing.
        let _ = self.log.stage().await.cast(Emit(events.into_iter().collect())).await;
    }

    /// What was asked since the last look, call by call.
    pub async fn demands(&mut self) -> Vec<usize> {
        self.log.settle().await;
        std::mem::take(&mut self.log.demands)
    }

    /// Asserts that so many events were asked for since the last look, in however many calls.
    ///
    /// # Panics
    ///
    /// If it was more or less.
    pub async fn expect_demand(&mut self, demand: usize) {
        let asked = self.demands().await;
        assert_eq!(asked.iter().sum::<usize>(), demand, "the demand, which came as {asked:?}");
    }

    /// The next subscription that has ended.
    ///
    /// # Panics
    ///
    /// If none has.
    pub async fn expect_cancel(&mut self) -> Cancelled {
        self.log.expect_cancel().await
    }

    /// Ends the stage with that reason.
    pub async fn stop(&mut self, reason: Reason) {
        self.log.stage().await.stop(reason).await;
    }
}

impl<T: Send + 'static> Producer for ProbedProducer<T> {
    type Event = T;

    async fn handle_subscribe(&mut self, consumer: &Subscription, cx: &mut Context<Self>) -> Result {
        // A probe that is gone sees nothing.
        let _ = self.seen.send(Seen::Subscribed(cx.this(), consumer.clone()));
        Ok(())
    }

    async fn handle_demand(&mut self, demand: usize, _: &mut Context<Self>) -> Result {
        let _ = self.seen.send(Seen::Demand(demand));
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        let _ = self.seen.send(Seen::Cancelled(cancelled.clone()));
        Ok(())
    }
}

impl<T: Send + 'static> Cast<Emit<T>> for ProbedProducer<T> {
    async fn handle_cast(&mut self, Emit(events): Emit<T>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events);
        Ok(())
    }
}

/// Stands in for a consumer: asks exactly when the test says, and knows what came.
///
/// Needs tokio's paused clock, as [`settle`] does; for an example see [`ProducerProbe`].
pub struct ConsumerProbe<T: Send + 'static> {
    log: Log<ProbedConsumer<T>, T>,
}

/// The stage of a [`ConsumerProbe`].
#[stage(consumer)]
pub struct ProbedConsumer<T: Send + 'static> {
    seen: UnboundedSender<Seen<Self, T>>,
}

impl<T: Send + 'static> ConsumerProbe<T> {
    /// A probe and its stage: a node of a pipeline, or to be spawned.
    pub fn new() -> (Self, ProbedConsumer<T>) {
        let (seen, log) = unbounded_channel();
        (Self { log: Log::new(log) }, ProbedConsumer { seen })
    }

    /// Asks the producer of the newest subscription for events.
    pub async fn ask(&mut self, events: usize) {
        let stage = self.log.stage().await;
        if let Some(subscription) = self.log.subscriptions.last() {
            stage.ask(subscription, events).await;
        }
    }

    /// The batches that came since the last look.
    pub async fn batches(&mut self) -> Vec<Vec<T>> {
        self.log.settle().await;
        std::mem::take(&mut self.log.batches)
    }

    /// Asserts that these events came since the last look, in this order and in however many batches.
    ///
    /// # Panics
    ///
    /// If it was others, more or fewer.
    pub async fn expect_events(&mut self, events: impl IntoIterator<Item = T>)
    where
        T: Debug + PartialEq,
    {
        let came: Vec<T> = self.batches().await.into_iter().flatten().collect();
        assert_eq!(came, events.into_iter().collect::<Vec<_>>(), "the events that came");
    }

    /// Asserts that no events came since the last look.
    ///
    /// # Panics
    ///
    /// If any did.
    pub async fn expect_no_events(&mut self)
    where
        T: Debug + PartialEq,
    {
        self.expect_events([]).await;
    }

    /// Cancels the newest subscription.
    pub async fn cancel(&mut self, reason: Reason) {
        let stage = self.log.stage().await;
        if let Some(subscription) = self.log.subscriptions.last() {
            stage.cancel(subscription, reason).await;
        }
    }

    /// The next subscription that has ended.
    ///
    /// # Panics
    ///
    /// If none has.
    pub async fn expect_cancel(&mut self) -> Cancelled {
        self.log.expect_cancel().await
    }

    /// Ends the stage with that reason.
    pub async fn stop(&mut self, reason: Reason) {
        self.log.stage().await.stop(reason).await;
    }
}

impl<T: Send + 'static> Consumer for ProbedConsumer<T> {
    type Event = T;

    async fn handle_subscribe(&mut self, producer: &Subscription, cx: &mut Context<Self>) -> Result<Demand> {
        let _ = self.seen.send(Seen::Subscribed(cx.this(), producer.clone()));
        Ok(Demand::Manual)
    }

    async fn handle_events(&mut self, events: &mut Batch<T>, _: &mut Context<Self>) -> Result {
        let _ = self.seen.send(Seen::Events(events.take()));
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        let _ = self.seen.send(Seen::Cancelled(cancelled.clone()));
        Ok(())
    }
}

macro_rules! debug {
    ($($name:ident),*) => {$(
        impl<T: Send + 'static> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(ProducerProbe, ProbedProducer, ConsumerProbe, ProbedConsumer);
