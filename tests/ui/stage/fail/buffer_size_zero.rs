use genstage::prelude::*;

#[stage(producer, buffer_size = 0)]
struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

const NONE: usize = 0;

#[stage(producer, buffer_size = NONE)]
struct Other;

impl Producer for Other {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

fn main() {}
