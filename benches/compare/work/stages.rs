//! The stages of the works.

use std::marker::PhantomData;
use std::ops::Range;

use genstage::Reason;
use genstage::prelude::*;

use super::events::{Total, Value, sum};

/// The numbers that a source has still to emit.
pub(crate) struct Numbers {
    next: u64,
    end: u64,
}

impl Numbers {
    pub(crate) fn below(end: u64) -> Self {
        Self { next: 0, end }
    }

    fn take(&mut self, demand: usize) -> Range<u64> {
        let first = self.next;
        self.next = self.end.min(first.saturating_add(demand as u64));
        first..self.next
    }

    fn is_empty(&self) -> bool {
        self.next == self.end
    }
}

/// Counts to an end.
#[stage(producer)]
pub(crate) struct Source(pub(crate) Numbers);

impl Producer for Source {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all(self.0.take(demand));
        if self.0.is_empty() {
            cx.finish();
        }
        Ok(())
    }
}

/// Counts to an end, for everybody.
#[stage(producer, dispatcher = broadcast)]
pub(crate) struct Broadcast<V> {
    numbers: Numbers,
    event: PhantomData<fn() -> V>,
}

impl<V> Broadcast<V> {
    pub(crate) fn new(numbers: Numbers) -> Self {
        Self { numbers, event: PhantomData }
    }
}

impl<V: Clone + From<u64> + Send + 'static> Producer for Broadcast<V> {
    type Event = V;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all(self.numbers.take(demand).map(V::from));
        if self.numbers.is_empty() {
            cx.finish();
        }
        Ok(())
    }
}

/// Counts to an end, each number for the consumer that its hash says.
#[stage(producer, dispatcher = partition(self.partitions))]
pub(crate) struct Partition {
    pub(crate) numbers: Numbers,
    pub(crate) partitions: usize,
}

impl Producer for Partition {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all(self.numbers.take(demand));
        if self.numbers.is_empty() {
            cx.finish();
        }
        Ok(())
    }
}

/// Doubles.
#[stage(producer_consumer)]
pub(crate) struct Double;

impl ProducerConsumer for Double {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().map(|n| n.wrapping_mul(2)));
        Ok(())
    }
}

/// Adds one.
#[stage(producer_consumer)]
pub(crate) struct AddOne;

impl ProducerConsumer for AddOne {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().map(|n| n.wrapping_add(1)));
        Ok(())
    }
}

/// Sums up.
#[stage(consumer)]
pub(crate) struct Sum<V> {
    sum: u64,
    total: Total,
    event: PhantomData<fn(V)>,
}

impl<V> Sum<V> {
    pub(crate) fn new(total: &Total) -> Self {
        Self { sum: 0, total: total.clone(), event: PhantomData }
    }
}

impl<V: Value> Consumer for Sum<V> {
    type Event = V;

    async fn handle_events(&mut self, events: &mut Batch<V>, _: &mut Context<Self>) -> Result {
        self.sum = self.sum.wrapping_add(sum(events));
        Ok(())
    }

    async fn terminate(&mut self, _: &Reason) {
        self.total.add(self.sum);
    }
}
