//! How often a running pipeline allocates, batch by batch, once everything in it has grown as large as it gets.
//!
//! Buffers travel: the emptied batch goes back upstream with the next ask, and is filled again.

mod count;
mod stages;

use count::Count;
use genstage::Pipeline;
use genstage::prelude::*;
use stages::{Double, Everybody, HashSays, Source, Sum};

const WINDOWS: [usize; 4] = [1000, 100, 10, 2];

/// So seldom that it has nothing to do with batches.
const NEVER: f64 = 0.001;

/// How often a pipeline allocates for each batch that is handled at its end, with the window with which that is most.
async fn most_per_batch(pipeline: impl Fn(usize, &Count) -> Pipeline) -> Result<f64> {
    let mut most = 0.0;
    for window in WINDOWS {
        let count = Count::begin().await;
        pipeline(window, &count).run().await?;
        if std::env::var_os("SHOW").is_some() {
            println!("window {window}: {}", count.per_batch());
        }
        most = count.per_batch().max(most);
    }
    Ok(most)
}

#[tokio::test]
async fn a_chain_allocates_nothing_per_batch() -> Result {
    let chain = |window, count: &Count| {
        let app = pipeline! {
            source = Source::default();
            double = Double;
            sum = Sum::new(count);
            source => double [max_demand: window] => sum [max_demand: window];
        };
        app.into_parts().0
    };
    let allocations = most_per_batch(chain).await?;
    assert!(allocations < NEVER, "{allocations} per batch");
    Ok(())
}

#[tokio::test]
async fn a_producer_that_shares_out_by_demand_allocates_nothing_per_batch() -> Result {
    let fan_out = |window, count: &Count| {
        let app = pipeline! {
            source = Source::default();
            sum = Sum::new(count), replicas: 4;
            source => sum [max_demand: window];
        };
        app.into_parts().0
    };
    let allocations = most_per_batch(fan_out).await?;
    assert!(allocations < NEVER, "{allocations} per batch");
    Ok(())
}

#[tokio::test]
async fn a_consumer_of_several_producers_allocates_nothing_per_batch() -> Result {
    let fan_in = |window, count: &Count| {
        let app = pipeline! {
            source = Source::default(), replicas: 4;
            sum = Sum::new(count);
            source => sum [max_demand: window];
        };
        app.into_parts().0
    };
    let allocations = most_per_batch(fan_in).await?;
    assert!(allocations < NEVER, "{allocations} per batch");
    Ok(())
}

/// A window is on its way in two batches, so twice as many buffers come back as there are consumers: all are kept.
#[tokio::test]
async fn a_broadcast_allocates_nothing_per_batch() -> Result {
    let broadcast = |window, count: &Count| {
        let app = pipeline! {
            source = Everybody::default();
            sum = Sum::new(count), replicas: 4;
            source => sum [max_demand: window];
        };
        app.into_parts().0
    };
    let allocations = most_per_batch(broadcast).await?;
    assert!(allocations < NEVER, "{allocations} per batch");
    Ok(())
}

/// Not nothing yet: where a partition has queued less than it is asked for, what is missing comes in a second message, and an ask
/// carries one buffer back. One batch is allocated then, as large as the one before it.
#[tokio::test]
async fn a_partition_allocates_where_an_ask_is_met_by_two_batches() -> Result {
    let partition = |window, count: &Count| {
        let app = pipeline! {
            source = HashSays::default();
            sum = Sum::new(count), replicas: 4;
            source => sum [max_demand: window];
        };
        app.into_parts().0
    };
    let allocations = most_per_batch(partition).await?;
    assert!(allocations < 0.5, "{allocations} per batch");
    Ok(())
}
