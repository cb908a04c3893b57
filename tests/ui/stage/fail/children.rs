//! Lines 170 and 171 of the catalogue: what a consumer supervisor cannot be declared with.

use genstage::prelude::*;
use genstage::Child;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

struct Job;

macro_rules! supervisor {
    ($name:ident) => {
        impl ConsumerSupervisor for $name {
            type Event = Job;

            fn start_child(&mut self, _: Job, _: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
                Ok(async { Ok(()) })
            }
        }
    };
}

#[stage(consumer_supervisor, restart = permanent, buffer_size = 3)]
struct A;
supervisor!(A);

#[stage(consumer_supervisor, restart = transient)]
struct B;
supervisor!(B);

#[stage(consumer_supervisor, blocking, restarts = transient, shutdown = 3)]
struct C;
supervisor!(C);

#[stage(consumer, shutdown = abort)]
struct D;

impl Consumer for D {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

#[stage(consumer_supervisor)]
struct E;

#[stage(consumer_supervisor, min_demand = 10, max_demand = 10)]
struct F;

impl ConsumerSupervisor for F {
    type Event = u64;

    fn start_child(&mut self, _: u64, _: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
        Ok(async { Ok(()) })
    }
}

fn main() {
    let _ = (Counter, Evens, Printer);
}
