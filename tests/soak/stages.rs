//! Stages that fail at random.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use genstage::prelude::*;
use genstage::{
    BroadcastDispatcher, Cancelled, Child, ConsumerSupervisor, Demand, DemandDispatcher, PartitionDispatcher,
    ReplyTo, Subscription,
};
use genstage_tests::any_dispatcher::AnyDispatcher;
use genstage_tests::ledger::{Copied, Ledger};

use crate::dice::Luck;

type Any = AnyDispatcher<Copied>;

/// What every stage has.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) luck: Luck,
    pub(crate) ledger: Ledger,
}

impl Common {
    fn make(&self) -> Copied {
        Copied(self.ledger.event(self.luck.dice.below(1000) as u64))
    }
}

/// A producing half. Which of the dispatchers it has: of a partition, for how many.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dispatch {
    Demand,
    Broadcast,
    Partition(usize),
}

impl Dispatch {
    fn dispatcher(self) -> Any {
        match self {
            Self::Demand => Any::Demand(DemandDispatcher::new()),
            Self::Broadcast => Any::Broadcast(BroadcastDispatcher::default()),
            Self::Partition(count) => {
                let of = move |event: &Copied| usize::try_from(event.0.number()).ok().map(|n| n % count);
                // A partition whose consumer was stopped is not to hold up the others.
                Any::Partition(PartitionDispatcher::new(count, of).queue_size(usize::MAX))
            }
        }
    }
}

/// What is said to a stage.
#[derive(Clone)]
pub(crate) struct Ping;

/// Makes so many events, sometimes more than it is asked for.
#[stage(producer, buffer_size = 20, dispatcher = Any::from(self.dispatch.dispatcher()))]
pub(crate) struct Source {
    pub(crate) common: Common,
    pub(crate) dispatch: Dispatch,
    pub(crate) left: Arc<AtomicU64>,
}

impl Producer for Source {
    type Event = Copied;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.send_after(Duration::from_millis(1), Ping);
        self.common.luck.try_it().await
    }

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let extra = if self.common.luck.dice.once_in(10) { 40 } else { 0 };
        let now = self.left.load(Relaxed).min(demand.saturating_add(extra) as u64);
        cx.emit_all((0..now).map(|_| self.common.make()));
        self.common.luck.try_it().await?;
        if self.left.fetch_sub(now, Relaxed) == now {
            cx.finish();
        }
        Ok(())
    }

    async fn handle_cancel(&mut self, _: &Cancelled, _: &mut Context<Self>) -> Result {
        self.common.luck.try_it().await
    }

    fn on_discarded(&mut self, _: usize) -> bool {
        false
    }
}

/// Makes some events of each.
#[stage(producer_consumer, dispatcher = Any::from(self.dispatch.dispatcher()))]
pub(crate) struct Middle {
    pub(crate) common: Common,
    pub(crate) dispatch: Dispatch,
}

impl ProducerConsumer for Middle {
    type Input = Copied;
    type Output = Copied;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.send_after(Duration::from_millis(1), Ping);
        self.common.luck.try_it().await
    }

    async fn handle_events(&mut self, events: &mut Batch<Copied>, cx: &mut Context<Self>) -> Result {
        for _ in events.iter() {
            cx.emit_all((0..self.common.luck.dice.below(4)).map(|_| self.common.make()));
        }
        self.common.luck.try_it().await?;
        events.iter().for_each(|event| event.0.deliver());
        Ok(())
    }

    async fn handle_cancel(&mut self, _: &Cancelled, _: &mut Context<Self>) -> Result {
        self.common.luck.try_it().await
    }
}

macro_rules! consumers {
    ($($name:ident ($($option:tt)*);)*) => {$(
        #[stage($($option)*)]
        pub(crate) struct $name {
            pub(crate) common: Common,
        }

        impl Consumer for $name {
            type Event = Copied;

            async fn init(&mut self, cx: &mut Context<Self>) -> Result {
                cx.send_after(Duration::from_millis(1), Ping);
                self.common.luck.try_it().await
            }

            async fn handle_events(&mut self, events: &mut Batch<Copied>, _: &mut Context<Self>) -> Result {
                self.common.luck.try_it().await?;
                events.iter().for_each(|event| event.0.deliver());
                Ok(())
            }

            async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
                self.common.luck.try_it().await?;
                Ok(Demand::Automatic)
            }
        }
    )*};
}

consumers! {
    Sink(consumer);
    Blocks(consumer, blocking);
}

#[stage(consumer_supervisor)]
pub(crate) struct Parent {
    pub(crate) common: Common,
}

impl ConsumerSupervisor for Parent {
    type Event = Copied;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.send_after(Duration::from_millis(1), Ping);
        self.common.luck.try_it().await
    }

    fn start_child(
        &mut self,
        Copied(event): Copied,
        _: &Child,
    ) -> Result<impl Future<Output = Result> + Send + 'static> {
        self.common.luck.try_at_once()?;
        let luck = self.common.luck.clone();
        Ok(async move {
            luck.try_it().await?;
            event.deliver();
            Ok(())
        })
    }
}

macro_rules! spoken_to {
    ($($stage:ident),*) => {$(
        impl Cast<Ping> for $stage {
            async fn handle_cast(&mut self, _: Ping, _: &mut Context<Self>) -> Result {
                self.common.luck.try_it().await
            }
        }

        impl Info<Ping> for $stage {
            async fn handle_info(&mut self, _: Ping, _: &mut Context<Self>) -> Result {
                self.common.luck.try_it().await
            }
        }

        impl Call<Ping> for $stage {
            type Reply = ();

            async fn handle_call(&mut self, _: Ping, reply: ReplyTo<()>, cx: &mut Context<Self>) -> Result {
                self.common.luck.try_it().await?;
                reply.after_events((), cx);
                Ok(())
            }
        }
    )*};
}

spoken_to!(Source, Middle, Sink, Blocks, Parent);
