//! Tools for tests of stages and dispatchers (feature `testing`).
//!
//! [`ProducerProbe`] and [`ConsumerProbe`] stand before and behind a stage under test; [`DispatcherProbe`] drives a dispatcher without a runtime;
//! [`settle`] returns when nothing is in flight. Every method of a probe settles first, so that it sees all that had been begun. How to use them is
//! a chapter of the guide: testing your stages.

mod dispatcher;
mod engine;
mod probe;

pub use dispatcher::DispatcherProbe;
pub use engine::{Engine, check_engine};
pub use probe::{ConsumerProbe, ProbedConsumer, ProbedProducer, ProducerProbe};

/// Returns when nothing is in flight any more: every task of the runtime waits for something that is not to come of itself.
///
/// Needs tokio's paused clock (`#[tokio::test(start_paused = true)]`), which moves only while nothing else can be done; it
/// moves by a millisecond, so timers that are due within it fire.
///
/// ```
/// use genstage::prelude::*;
/// use genstage::testing::settle;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result {
/// tokio::time::pause();
/// let app = pipeline! { sink = for_each(|n| println!("{n}")); from_iter(0..1000) => sink; }.start()?;
/// settle().await;
/// assert!(app.sink.has_ended());
/// # Ok(())
/// # }
/// ```
pub async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
}
