//! Chapters beside the reference.

#[doc = include_str!("coming_from_elixir.md")]
pub mod coming_from_elixir {}
