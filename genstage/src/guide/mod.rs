//! Chapters beside the reference.

#[doc = include_str!("demand_in_numbers.md")]
pub mod demand_in_numbers {}

#[doc = include_str!("who_gets_which_event.md")]
pub mod who_gets_which_event {}

#[doc = include_str!("where_events_wait.md")]
pub mod where_events_wait {}

#[doc = include_str!("ends_and_failures.md")]
pub mod ends_and_failures {}

#[doc = include_str!("building_blocks.md")]
pub mod building_blocks {}

#[doc = include_str!("testing_your_stages.md")]
pub mod testing_your_stages {}

#[doc = include_str!("watching_a_pipeline.md")]
pub mod watching_a_pipeline {}

#[doc = include_str!("tuning.md")]
pub mod tuning {}

#[doc = include_str!("coming_from_channels_and_streams.md")]
pub mod coming_from_channels_and_streams {}

#[doc = include_str!("coming_from_elixir.md")]
pub mod coming_from_elixir {}
