use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

macro_rules! producer {
    ($name:ident) => {
        impl Producer for $name {
            type Event = u64;

            async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
                Ok(())
            }
        }
    };
}

#[derive(Debug)]
enum Parity {
    Even,
    Odd,
}

#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd, Parity::Even], by = |_| Parity::Odd))]
struct Twice;
producer!(Twice);

#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd]))]
struct Unsaid;
producer!(Unsaid);

#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd], index = |_| Some(1)))]
struct Numbered;
producer!(Numbered);

#[stage(producer, dispatcher = partition([1, 2], by = |n| n % 2))]
struct Integers;
producer!(Integers);

#[stage(producer, dispatcher = partition([], by = |n| n % 2))]
struct Empty;
producer!(Empty);

#[stage(producer, dispatcher = partition(2, by = |n| n % 2, index = |_| None))]
struct Both;
producer!(Both);

fn main() {
    let _ = (Counter, Evens, Printer);
}
