use genstage::prelude::*;

#[stage(consumer, buffer_size = 10)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

#[stage(producer, max_demand = 10)]
struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

fn main() {}
