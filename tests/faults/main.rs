//! Whatever fails, every event is in the end delivered, discarded by a stated policy, or counted as lost with what lost it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

mod callbacks;
mod children;
mod dispatchers;
mod fault;
mod functions;
mod hung;
mod million;
mod producers;
mod stages;
mod storms;
mod streams;
