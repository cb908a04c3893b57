//! Everything that a file with stages in it needs: `use genstage::prelude::*;`

pub use crate::{
    Batch, Call, Cast, Consumer, ConsumerSupervisor, Context, Info, Producer, ProducerConsumer, Rate, Result,
    Spawn, filter, flat_map, for_each, from_iter, from_stream, map, pipeline, stage,
};
