use genstage::prelude::*;

const LIMIT: usize = 50;

#[stage(producer, buffer_size = 5_000, buffer_keep = first)]
struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

#[stage(producer_consumer, buffer_size = unbounded, buffer_keep = last, max_demand = LIMIT, min_demand = LIMIT / 2)]
pub struct Pass(u8);

impl ProducerConsumer for Pass {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }
}

#[stage(consumer, blocking, min_demand = 999,)]
#[derive(Debug)]
enum Printer {
    Quiet,
}

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = pipeline! {
        counter = Counter; pass = Pass(1); printer = Printer::Quiet;
        counter => pass => printer;
    };
}
