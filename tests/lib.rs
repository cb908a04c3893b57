//! What genstage promises, checked from outside: the README's code as doctests, the player of recordings, and what
//! several kinds of tests share.

#![doc = include_str!("../README.md")]

pub mod any_dispatcher;
pub mod ledger;
pub mod replay;
