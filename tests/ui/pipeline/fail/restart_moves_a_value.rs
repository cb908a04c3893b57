use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[stage(consumer)]
struct Named(String);

impl Consumer for Named {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = (Evens, Printer);
    let name = String::from("a");
    let _ = pipeline! {
        counter = Counter;
        named = Named(name), restart: on_failure;

        counter => named;
    };
}
