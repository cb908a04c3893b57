//! Chapters beside the reference.

#[doc = include_str!("coming_from_elixir.md")]
pub mod coming_from_elixir {}

#[doc = include_str!("testing_your_stages.md")]
pub mod testing_your_stages {}

#[doc = include_str!("watching_a_pipeline.md")]
pub mod watching_a_pipeline {}
