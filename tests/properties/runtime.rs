//! Where topologies run.

use tokio::runtime::Builder;

/// Runs to the end with the clock paused: it moves only when nothing else can be done, which is how the tests know.
pub(crate) fn on_one_thread<T>(test: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(test)
}

/// Runs to the end on two threads, where things really happen at the same time.
pub(crate) fn on_two_threads<T>(test: impl Future<Output = T>) -> T {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap().block_on(test)
}
