//! What genstage uses of tokio, as it is checked by models: tasks are shuttle's, the primitives of `sync` are tokio's own, and
//! before everything that one task can see of another there is a [`point`] at which shuttle may let another run. What wakes others
//! has one behind it, too: what they do before their waker has gone on is a race of its own.
//!
//! A send has a point in its middle too, where the message has its place in the channel and is not there yet: tokio's are no
//! atomic step either. Time is not modelled: whatever waits for it may have waited long enough at any moment.

pub mod runtime;
pub mod sync;
pub mod task;
pub mod time;

use std::time::Duration;

#[doc(hidden)]
pub use real as __real;
use shuttle::rand::Rng;
pub use task::spawn;

/// Another task may run here.
pub fn point() {
    if shuttle::current::try_get_current_task().is_some() {
        // Shuttle's name for a mere switch; its `yield_now` would tell the scheduler to prefer others.
        shuttle::thread::sleep(Duration::ZERO);
    }
}

/// A number below `end`, of the schedule's making.
#[doc(hidden)]
pub fn random(end: u32) -> u32 {
    shuttle::rand::thread_rng().gen_range(0..end)
}

/// tokio's, with the branch that is polled first chosen by the schedule.
#[macro_export]
macro_rules! select {
    (biased; $($branches:tt)*) => { $crate::__real::select! { biased; $($branches)* } };
    // What tokio's macro makes of it, but for where the number comes from.
    ($($branches:tt)*) => { $crate::__real::select!(@{ start={ $crate::random(BRANCHES) }; () } $($branches)*) };
}
