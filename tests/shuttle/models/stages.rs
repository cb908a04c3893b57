//! Stages that the models share. Each can be told to fail.

use genstage::prelude::*;
use genstage::{Cancelled, Demand, Error, Reason, Subscription};
use tokio::task::yield_now;

use crate::book::{Book, Event, Life};

/// A cast that fails.
pub(crate) struct Fail;

/// Makes as many events as it is asked for.
#[stage(producer)]
pub(crate) struct Source {
    life: Life,
    /// It finishes when so many have been made.
    end: u64,
}

impl Source {
    pub(crate) fn endless(book: &Book) -> Self {
        Self::of(book, u64::MAX)
    }

    pub(crate) fn of(book: &Book, end: u64) -> Self {
        Self { life: book.life(), end }
    }

    fn is_done(&self) -> bool {
        self.life.book.made() >= self.end
    }
}

impl Producer for Source {
    type Event = Event;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        for _ in 0..demand {
            if !self.is_done() {
                cx.emit(self.life.book.event());
            }
        }
        yield_now().await;
        if self.is_done() {
            cx.finish();
        }
        Ok(())
    }

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result {
        self.life.book.subscribed();
        Ok(())
    }

    async fn handle_cancel(&mut self, _: &Cancelled, _: &mut Context<Self>) -> Result {
        self.life.book.cancelled();
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        yield_now().await;
        self.life.terminate(reason);
    }
}

impl Cast<Fail> for Source {
    async fn handle_cast(&mut self, _: Fail, _: &mut Context<Self>) -> Result {
        Err(Error::msg("told to"))
    }
}

/// Hands on what it gets.
#[stage(producer_consumer, max_demand = 2, min_demand = 1)]
pub(crate) struct Middle(Life);

impl Middle {
    pub(crate) fn new(book: &Book) -> Self {
        Self(book.life())
    }
}

impl ProducerConsumer for Middle {
    type Input = Event;
    type Output = Event;

    async fn handle_events(&mut self, events: &mut Batch<Event>, cx: &mut Context<Self>) -> Result {
        yield_now().await;
        cx.emit_all(events.drain());
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.0.terminate(reason);
    }
}

/// Handles the events of a batch, all at once, after a pause.
#[stage(consumer, max_demand = 2, min_demand = 1)]
pub(crate) struct Sink {
    life: Life,
    demand: Demand,
}

impl Sink {
    pub(crate) fn new(book: &Book) -> Self {
        Self { life: book.life(), demand: Demand::Automatic }
    }

    /// It asks when it is told to.
    pub(crate) fn manual(book: &Book) -> Self {
        Self { demand: Demand::Manual, ..Self::new(book) }
    }
}

impl Consumer for Sink {
    type Event = Event;

    async fn handle_events(&mut self, events: &mut Batch<Event>, _: &mut Context<Self>) -> Result {
        yield_now().await;
        events.drain().for_each(Event::handle);
        Ok(())
    }

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        self.life.book.subscribed();
        Ok(self.demand)
    }

    async fn handle_cancel(&mut self, _: &Cancelled, _: &mut Context<Self>) -> Result {
        self.life.book.cancelled();
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        yield_now().await;
        self.life.terminate(reason);
    }
}

impl Cast<Fail> for Sink {
    async fn handle_cast(&mut self, _: Fail, _: &mut Context<Self>) -> Result {
        Err(Error::msg("told to"))
    }
}
