//! Holds the README to its word: its examples are compiled and run as doctests here, so that no published crate reaches
//! above its own folder.

#![doc = include_str!("../README.md")]
