use genstage::prelude::*;

#[stage(producer, buffer_keep = newest)]
struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

fn main() {}
