use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[stage(producer, dispatcher = partition(2))]
struct Numbers;

impl Producer for Numbers {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = (Counter, Evens);
    let _ = pipeline! {
        numbers = Numbers;
        a = Printer;
        b = Printer;

        numbers => { a [partition: 1], b [partition: 1] };
    };
}
