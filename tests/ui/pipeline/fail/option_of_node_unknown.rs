use genstage::prelude::*;

#[stage(producer)]
struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

#[stage(producer_consumer)]
struct Evens;

impl ProducerConsumer for Evens {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }
}

#[stage(consumer)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = pipeline! {
        counter = Counter;
        printer = Printer, replica: 2;
        counter => printer;
    };
}
