use genstage::prelude::*;

#[stage(consumer, max_demand = 10, min_demand = 10)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

#[stage(consumer, min_demand = 1000)]
struct Second;

impl Consumer for Second {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

const MANY: usize = 10;

#[stage(consumer, max_demand = 10, min_demand = MANY)]
struct Third;

impl Consumer for Third {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {}
