//! Stages that exchange events under back-pressure.

// Expansions of the macros say `::genstage`, here too.
extern crate self as genstage;

mod batch;
mod buffer;
mod context;
mod demand;
mod dispatch;
mod error;
mod machine;
mod pipeline;
pub mod prelude;
mod role;
mod stages;
mod subscription;
mod summary;
mod task;

#[doc(hidden)]
pub mod __private;

pub use batch::Batch;
pub use context::Context;
pub use demand::WindowError;
pub use error::{Error, Failure, Reason, Refusal, Result};
pub use genstage_macros::{pipeline, stage};
pub use pipeline::{Pipeline, Running};
pub use role::{Consumer, Emits, Producer, ProducerConsumer, Stage};
pub use stages::{
    Filter, FlatMap, ForEach, FromIter, FromStream, Map, filter, flat_map, for_each, from_iter, from_stream,
    map,
};
pub use summary::{StageSummary, Summary};
pub use task::StageRef;

pub(crate) use subscription::Cancel;
