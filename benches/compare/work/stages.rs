//! The stages of the works.

use std::hint::black_box;

use genstage::prelude::*;

/// Counts to `end`.
#[stage(producer)]
pub(crate) struct Source {
    next: u64,
    end: u64,
}

impl Source {
    pub(crate) fn new(end: u64) -> Self {
        Self { next: 0, end }
    }
}

impl Producer for Source {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let end = self.end.min(self.next.saturating_add(demand as u64));
        cx.emit_all(self.next..end);
        self.next = end;
        if end == self.end {
            cx.finish();
        }
        Ok(())
    }
}

/// Doubles.
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

/// Sums up.
#[stage(consumer)]
#[derive(Default)]
pub(crate) struct Sum {
    sum: u64,
}

impl Consumer for Sum {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        self.sum = events.iter().fold(self.sum, |sum, n| sum.wrapping_add(*n));
        Ok(())
    }

    async fn terminate(&mut self, _: &genstage::Reason) {
        black_box(self.sum);
    }
}
