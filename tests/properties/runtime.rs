//! Where topologies run.

use proptest::prelude::*;
use tokio::runtime::Builder;

/// Cases are small, and what they are to find is rare: so many times the usual number.
pub(crate) fn many() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: 16 * usual.cases, ..usual }
}

/// Runs to the end with the clock paused: it moves only when nothing else can be done, which is how the tests know.
pub(crate) fn on_one_thread<T>(test: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(test)
}

/// Runs to the end on two threads, where things really happen at the same time.
pub(crate) fn on_two_threads<T>(test: impl Future<Output = T>) -> T {
    Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(test)
}
