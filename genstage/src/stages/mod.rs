//! Ready-made stages.

mod filter;
mod flat_map;
mod for_each;
mod from_iter;
mod from_sink;
mod from_stream;
mod map;
mod on_cancel;

/// How many events a source emits at a time, however much is asked for: demand may be without bound, memory is not.
const AT_A_TIME: usize = 1000;

pub use filter::{Filter, filter};
pub use flat_map::{FlatMap, flat_map};
pub use for_each::{ForEach, for_each};
pub use from_iter::{FromIter, from_iter};
pub use from_sink::{EventSink, SinkItems, from_sink};
pub use from_stream::{FromStream, from_stream};
pub use map::{Map, map};
pub use on_cancel::OnCancel;
