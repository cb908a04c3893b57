//! Stages that allocate nothing themselves.

use std::sync::Arc;

use genstage::prelude::*;

use crate::count::{Batches, Count};

/// How often a producer is asked before it finishes.
const TIMES: usize = 20_000;

/// A producer that emits what it is asked for, so many times.
macro_rules! producer {
    ($name:ident $(, $dispatcher:ident $($options:tt)*)?) => {
        #[stage(producer $(, dispatcher = $dispatcher $($options)*)?)]
        #[derive(Default)]
        pub(crate) struct $name {
            times: usize,
            next: u64,
        }

        impl Producer for $name {
            type Event = u64;

            async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
                let end = self.next + demand as u64;
                cx.emit_all(self.next..end);
                self.next = end;
                self.times += 1;
                if self.times == TIMES {
                    cx.finish();
                }
                Ok(())
            }
        }
    };
}

producer!(Source);
producer!(Everybody, broadcast);
producer!(HashSays, partition(4));

#[stage(producer_consumer)]
pub(crate) struct Double;

impl ProducerConsumer for Double {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().map(|n| n.wrapping_mul(2)));
        Ok(())
    }
}

#[stage(consumer)]
pub(crate) struct Sum {
    sum: u64,
    batches: Arc<Batches>,
}

impl Sum {
    pub(crate) fn new(count: &Count) -> Self {
        Self { sum: 0, batches: count.batches() }
    }
}

impl Consumer for Sum {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        self.sum = events.drain().fold(self.sum, u64::wrapping_add);
        self.batches.handled();
        Ok(())
    }
}
