//! Building blocks: stages for what every pipeline needs sooner or later.

mod attempts;
mod batching;
mod concurrent;
mod joining;
mod timing;
