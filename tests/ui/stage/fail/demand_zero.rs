use genstage::prelude::*;

#[stage(consumer, max_demand = 0)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

const NONE: usize = 0;

#[stage(consumer, max_demand = NONE)]
struct Other;

impl Consumer for Other {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {}
