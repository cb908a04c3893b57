use genstage::prelude::*;

#[stage(consumer, max_demand = 0, buffer_size = 5, buffer_keep = all, colour = 3)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {}
