//! Line 149 of the catalogue: the function returns something that is no partition.

use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[derive(Debug)]
enum Parity {
    Even,
    Odd,
}

#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd], by = |n| n % 2))]
struct ByEnum;

impl Producer for ByEnum {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

#[stage(producer, dispatcher = partition(2, index = |n| n % 2))]
struct ByIndex;

impl Producer for ByIndex {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = (Counter, Evens, Printer);
}
