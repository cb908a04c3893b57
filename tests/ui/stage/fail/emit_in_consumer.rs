use genstage::prelude::*;

#[stage(consumer)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit(5);
        Ok(())
    }
}

fn main() {}
