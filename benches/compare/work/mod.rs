//! The pieces of work.

mod broadcast;
mod calls;
mod chain;
mod concurrent;
mod crowd;
mod events;
mod fan_in;
mod fan_out;
mod fused;
mod handlers;
mod long_chain;
mod partition;
mod stages;
mod tasks;
mod text;
mod words;

use crate::measure::Case;

/// How many consumers one producer has.
const SIZES: [usize; 3] = [4, 64, 1000];

/// All of them, with so much smaller a number of events.
pub(crate) fn all(scale: u64) -> Vec<Case> {
    let works = [
        chain::cases,
        fan_out::cases,
        broadcast::cases,
        partition::cases,
        fan_in::cases,
        long_chain::cases,
        fused::cases,
        concurrent::cases,
        tasks::cases,
        words::cases,
        calls::cases,
    ];
    works.into_iter().flat_map(|cases| cases(scale)).collect()
}
