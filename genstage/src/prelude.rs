//! Everything that a file with stages in it needs: `use genstage::prelude::*;`

pub use crate::{
    Batch, Consumer, Context, Producer, ProducerConsumer, Result, filter, flat_map, for_each, from_iter,
    from_stream, map, pipeline, stage,
};
