//! The invariants over random topologies on the real runtime, through the public API only.
//!
//! 1. No consumer has unmet demand while an event that it may have is held.
//! 2. Events of one subscription keep the order in which they were emitted.
//! 3. Credit is conserved, and nothing is lost silently: every event is delivered, discarded by a stated policy, or gone
//!    with a stage that had it when it ended.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on is to fail"
)]

mod account;
mod blocks;
mod books;
mod check;
mod completion;
mod doom;
mod events;
mod fused;
mod handle;
mod runtime;
mod script;
mod stages;
mod topology;
mod world;
