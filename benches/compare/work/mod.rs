//! The pieces of work.

mod chain;
mod events;
mod handlers;
mod stages;

use crate::measure::Case;

/// All of them, with so much smaller a number of events.
pub(crate) fn all(scale: u64) -> Vec<Case> {
    chain::cases(scale)
}
