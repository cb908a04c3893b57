//! Stages and a pipeline where `::genstage` is no crate: the macros are told where it is.

#![allow(unused_qualifications, reason = "the macros use the stated path, whatever is in scope")]

/// What a crate that wraps genstage may export.
pub mod prelude {
    pub use stages;
}

use stages::prelude::*;

/// Emits one after the other.
#[stage(producer, crate = crate::prelude::stages, dispatcher = partition([Parity::Even, Parity::Odd], by = parity))]
pub struct Numbers(std::ops::Range<u64>);

impl Producer for Numbers {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all(self.0.by_ref().take(demand));
        if self.0.is_empty() {
            cx.finish();
        }
        Ok(())
    }
}

/// The partitions.
#[derive(Debug)]
pub enum Parity {
    /// 0, 2, 4 …
    Even,
    /// 1, 3, 5 …
    Odd,
}

fn parity(n: &u64) -> Parity {
    if n.is_multiple_of(2) { Parity::Even } else { Parity::Odd }
}

/// Takes a generic event.
#[stage(consumer, crate = stages, max_demand = 10)]
#[derive(Debug, Default)]
pub struct Ignore<T>(std::marker::PhantomData<T>);

impl<T: Send + 'static> Consumer for Ignore<T> {
    type Event = T;

    async fn handle_events(&mut self, _: &mut Batch<T>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

/// Runs numbers through.
///
/// # Errors
///
/// If a stage fails.
pub async fn run(count: u64) -> Result<stages::Summary> {
    let app = pipeline! {
        crate = crate::prelude::stages;
        strategy: one_for_all;
        numbers = Numbers(0..count);
        evens = Ignore::default(), restart: on_failure;
        odds = Ignore::<u64>::default(), replicas: 1;

        numbers => { evens [partition: Parity::Even, cancel: permanent], odds [partition: Parity::Odd] };
    };
    Ok(app.run().await?)
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_crate_by_another_name() -> stages::Result {
        let summary = super::run(11).await?;
        let handled = ["evens", "odds[0]"].map(|name| summary.stage(name).map(|stage| stage.events_in));
        assert_eq!(handled, [Some(6), Some(5)]);
        Ok(())
    }
}
