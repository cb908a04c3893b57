//! Exchanges on real servers: each test has one of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on is to fail"
)]

mod cluster;
mod flow;
mod numbers;
mod partitions;
mod redelivery;
mod server;
mod suite;
mod traps;
