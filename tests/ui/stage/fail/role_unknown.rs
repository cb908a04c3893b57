use genstage::prelude::*;

#[stage(prodcuer)]
struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

#[stage(sink)]
struct Printer;

fn main() {}
