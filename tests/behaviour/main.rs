//! How pipelines behave at run time, through the public API only.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

mod blocking;
mod blocks;
mod buffers;
mod catalogue;
mod catalogue_stages;
mod children;
mod completion;
mod defects;
mod demand;
mod dispatchers;
mod draining;
mod failure;
mod fairness;
mod flow;
mod fused;
mod messages;
mod middle;
mod rate;
mod reactive_streams;
mod ready_made;
mod remote;
mod restart;
mod stages;
mod streams;
mod subscriptions;
mod supervisor;
mod timers;
mod topology;
mod watching;
