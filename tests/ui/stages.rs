//! Stages for the cases, one of each role.

use genstage::prelude::*;

#[stage(producer)]
pub struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

#[stage(producer_consumer)]
pub struct Evens;

impl ProducerConsumer for Evens {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }
}

#[stage(consumer)]
pub struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}
