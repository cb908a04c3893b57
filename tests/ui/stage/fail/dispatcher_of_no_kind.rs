use genstage::prelude::*;

#[derive(Default)]
struct RoundRobin;

#[stage(producer, dispatcher = RoundRobin)]
struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

fn main() {
    let _ = pipeline! {
        counter = Counter;
        counter => for_each(|_: u64| ());
    };
}
