//! Lines 74, 76, 78 and 80 of the catalogue: a producer does not choose how it is asked, and a consumer's choice is one of two.

use genstage::prelude::*;
use genstage::{Demand, Subscription};

#[stage(producer)]
struct Counter;

impl Producer for Counter {
    type Event = u64;

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        Ok(Demand::Manual)
    }

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

#[stage(consumer)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        Ok(Demand::Sometimes)
    }

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {}
