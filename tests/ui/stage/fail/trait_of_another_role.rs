use genstage::prelude::*;

#[stage(producer)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {}
