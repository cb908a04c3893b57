//! A stage of each role that fails where its fault says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use genstage::prelude::*;
use genstage::{Cancelled, Child, ConsumerSupervisor, Demand, Reason, ReplyTo, Subscription};
use genstage_tests::ledger::{Event, Ledger};

use crate::fault::{Fault, Point};

/// What outlives the states of a stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) fault: Fault,
    /// What the stage makes.
    pub(crate) makes: Ledger,
    /// How many events the stage was told that are discarded.
    pub(crate) told: Arc<AtomicU64>,
    /// How many events it has had, and got through with.
    pub(crate) handled: Arc<AtomicU64>,
}

impl Part {
    pub(crate) fn with(fault: Fault) -> Self {
        Self { fault, ..Self::default() }
    }

    fn discarded(&self, events: usize) -> bool {
        self.told.fetch_add(events as u64, Relaxed);
        self.fault.panic(Point::Discarded);
        false
    }

    /// The call that had these events has got through.
    fn deliver(&self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| {
            event.deliver();
            self.handled.fetch_add(1, Relaxed);
        });
    }
}

/// Something is said to a stage.
pub(crate) struct Ping;

/// What a stage says to itself.
#[derive(Clone)]
struct Tick;

/// How many events there are.
pub(crate) const EVENTS: u64 = 60;

/// Makes more than it is asked for, so that its buffer overflows.
#[stage(producer, buffer_size = 8)]
pub(crate) struct Source(pub(crate) Part);

impl Producer for Source {
    type Event = Event;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.send_after(Duration::from_millis(1), Tick);
        self.0.fault.reach(Point::Init)
    }

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let left = EVENTS.saturating_sub(self.0.makes.made());
        for _ in 0..left.min(demand as u64 + 12) {
            cx.emit(self.0.makes.event(0));
        }
        self.0.fault.reach(Point::Demand)
    }

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result {
        self.0.fault.reach(Point::Subscribe)
    }

    async fn handle_cancel(&mut self, _: &Cancelled, _: &mut Context<Self>) -> Result {
        self.0.fault.reach(Point::Cancel)
    }

    async fn on_drain(&mut self, cx: &mut Context<Self>) -> Result {
        cx.finish();
        self.0.fault.reach(Point::Drain)
    }

    fn on_discarded(&mut self, events: usize) -> bool {
        self.0.discarded(events)
    }

    async fn terminate(&mut self, _: &Reason) {
        self.0.fault.panic(Point::Terminate);
    }
}

/// Makes two events of each.
#[stage(producer_consumer, buffer_size = 2)]
pub(crate) struct Middle(pub(crate) Part);

impl ProducerConsumer for Middle {
    type Input = Event;
    type Output = Event;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.send_after(Duration::from_millis(1), Tick);
        self.0.fault.reach(Point::Init)
    }

    async fn handle_events(&mut self, events: &mut Batch<Event>, cx: &mut Context<Self>) -> Result {
        for _ in 0..2 * events.len() {
            cx.emit(self.0.makes.event(0));
        }
        self.0.fault.reach(Point::Events)?;
        self.0.deliver(events.drain());
        Ok(())
    }

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        self.0.fault.reach(Point::Subscribe)?;
        Ok(Demand::Automatic)
    }

    async fn handle_subscribed(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result {
        self.0.fault.reach(Point::Subscribed)
    }

    async fn handle_cancel(&mut self, _: &Cancelled, _: &mut Context<Self>) -> Result {
        self.0.fault.reach(Point::Cancel)
    }

    fn on_discarded(&mut self, events: usize) -> bool {
        self.0.discarded(events)
    }

    async fn terminate(&mut self, _: &Reason) {
        self.0.fault.panic(Point::Terminate);
    }
}

#[stage(consumer, max_demand = 4)]
pub(crate) struct Sink(pub(crate) Part);

impl Consumer for Sink {
    type Event = Event;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.send_after(Duration::from_millis(1), Tick);
        self.0.fault.reach(Point::Init)
    }

    async fn handle_events(&mut self, events: &mut Batch<Event>, _: &mut Context<Self>) -> Result {
        self.0.fault.reach(Point::Events)?;
        self.0.deliver(events.drain());
        Ok(())
    }

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        self.0.fault.reach(Point::Subscribe)?;
        Ok(Demand::Automatic)
    }

    async fn handle_cancel(&mut self, _: &Cancelled, _: &mut Context<Self>) -> Result {
        self.0.fault.reach(Point::Cancel)
    }

    async fn terminate(&mut self, _: &Reason) {
        self.0.fault.panic(Point::Terminate);
    }
}

/// Its children take a while, so that there are some whenever it fails.
#[stage(consumer_supervisor, max_demand = 4)]
pub(crate) struct Parent(pub(crate) Part);

impl ConsumerSupervisor for Parent {
    type Event = Event;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.send_after(Duration::from_millis(1), Tick);
        self.0.fault.reach(Point::Init)
    }

    fn start_child(
        &mut self,
        event: Event,
        _: &Child,
    ) -> Result<impl Future<Output = Result> + Send + 'static> {
        self.0.fault.reach(Point::Start)?;
        let part = self.0.clone();
        Ok(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            part.fault.reach(Point::Child)?;
            part.deliver([event]);
            Ok(())
        })
    }

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result {
        self.0.fault.reach(Point::Subscribe)
    }

    async fn handle_cancel(&mut self, _: &Cancelled, _: &mut Context<Self>) -> Result {
        self.0.fault.reach(Point::Cancel)
    }

    async fn terminate(&mut self, _: &Reason) {
        self.0.fault.panic(Point::Terminate);
    }
}

macro_rules! spoken_to {
    ($($stage:ident),*) => {$(
        impl Call<Ping> for $stage {
            type Reply = ();

            async fn handle_call(&mut self, _: Ping, reply: ReplyTo<()>, cx: &mut Context<Self>) -> Result {
                self.0.fault.reach(Point::Call)?;
                reply.after_events((), cx);
                Ok(())
            }
        }

        impl Cast<Ping> for $stage {
            async fn handle_cast(&mut self, _: Ping, _: &mut Context<Self>) -> Result {
                self.0.fault.reach(Point::Cast)
            }
        }

        impl Info<Ping> for $stage {
            async fn handle_info(&mut self, _: Ping, _: &mut Context<Self>) -> Result {
                self.0.fault.reach(Point::Info)
            }
        }

        impl Cast<Tick> for $stage {
            async fn handle_cast(&mut self, _: Tick, _: &mut Context<Self>) -> Result {
                self.0.fault.reach(Point::Timer)
            }
        }

        impl Drop for $stage {
            fn drop(&mut self) {
                if !std::thread::panicking() {
                    self.0.fault.panic(Point::Drop);
                }
            }
        }
    )*};
}

spoken_to!(Source, Middle, Sink, Parent);
