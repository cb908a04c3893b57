//! Everything that a file with stages in it needs: `use genstage::prelude::*;`

pub use crate::{
    Batch, Call, Cast, Consumer, ConsumerSupervisor, Context, Half, Info, Producer, ProducerConsumer, Rate,
    Result, Spawn, batch, debounce, filter, flat_map, for_each, from_iter, from_stream, map, map_concurrent,
    map_concurrent_unordered, merge, partition_by, throttle, zip,
};
pub use genstage_macros::{pipeline, stage};
