use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[stage(producer, dispatcher = brodcast)]
struct A;

impl Producer for A {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

#[stage(producer, dispatcher = partition)]
struct B;

impl Producer for B {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

#[stage(producer, dispatcher = partition(0, size = 3))]
struct C;

impl Producer for C {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = (Counter, Evens, Printer);
}
