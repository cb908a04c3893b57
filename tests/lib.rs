//! What genstage promises, checked from outside: the README's code as doctests, and the player of recordings.

#![doc = include_str!("../README.md")]

pub mod replay;
