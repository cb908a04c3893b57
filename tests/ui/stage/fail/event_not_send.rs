use std::rc::Rc;

use genstage::prelude::*;

#[stage(producer)]
struct Counter;

impl Producer for Counter {
    type Event = Rc<u64>;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {}
