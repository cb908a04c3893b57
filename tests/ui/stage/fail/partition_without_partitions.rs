//! Line 150 of the catalogue: a partition dispatcher is told its partitions.

use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[stage(producer, dispatcher = partition)]
struct A;

impl Producer for A {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

#[stage(producer, dispatcher = partition(by = |n| n % 2))]
struct B;

impl Producer for B {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = (Counter, Evens, Printer);
}
