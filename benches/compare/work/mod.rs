//! The pieces of work.

mod broadcast;
mod chain;
mod crowd;
mod events;
mod fan_in;
mod fan_out;
mod handlers;
mod partition;
mod stages;

use crate::measure::Case;

/// How many consumers one producer has.
const SIZES: [usize; 3] = [4, 64, 1000];

/// All of them, with so much smaller a number of events.
pub(crate) fn all(scale: u64) -> Vec<Case> {
    let works = [chain::cases, fan_out::cases, broadcast::cases, partition::cases, fan_in::cases];
    works.into_iter().flat_map(|cases| cases(scale)).collect()
}
