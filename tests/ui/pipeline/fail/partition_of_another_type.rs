use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[derive(Debug)]
enum Parity {
    Even,
    Odd,
}

#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd], by = |n| if n % 2 == 0 { Parity::Even } else { Parity::Odd }))]
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
        c = Printer;

        numbers => { a [partition: 1], b [partition: Parity::Even] };
        Numbers::stage() => c;
    };
}

impl Numbers {
    fn stage() -> Self {
        Self
    }
}
