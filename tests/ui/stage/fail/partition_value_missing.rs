use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[derive(Debug)]
enum Parity {
    Even,
    Odd,
}

#[stage(producer, dispatcher = partition([Parity::Even], by = |_| Parity::Odd))]
struct Numbers;

impl Producer for Numbers {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = (Counter, Evens, Printer);
}
