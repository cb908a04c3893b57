//! Ready-made stages.

mod batch;
mod debounce;
mod filter;
mod flat_map;
mod for_each;
mod from_iter;
mod from_sink;
mod from_stream;
mod map;
mod map_concurrent;
mod merge;
mod on_cancel;
mod partition_by;
mod throttle;
mod zip;

use std::future::pending;

use tokio::time::{Instant, sleep_until};

/// How many events a source emits at a time, however much is asked for: demand may be without bound, memory is not.
const AT_A_TIME: usize = 1000;

/// Waits until then; for ever, if that is beyond all time.
async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

pub use batch::{Batching, batch};
pub use debounce::{Debounce, debounce};
pub use filter::{Filter, filter};
pub use flat_map::{FlatMap, flat_map};
pub use for_each::{ForEach, for_each};
pub use from_iter::{FromIter, from_iter};
pub use from_sink::{EventSink, SinkItems, from_sink};
pub use from_stream::{FromStream, from_stream};
pub use map::{Map, map};
pub use map_concurrent::{MapConcurrent, map_concurrent, map_concurrent_unordered};
pub use merge::{Merge, merge};
pub use on_cancel::OnCancel;
pub use partition_by::{PartitionBy, partition_by};
pub use throttle::{Throttle, throttle};
pub use zip::{Half, Zip, zip};
