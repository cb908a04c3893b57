use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[stage(blocking, consumer, blocking)]
struct Sink;

impl Consumer for Sink {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = (Counter, Evens, Printer);
}
