//! How pipelines behave at run time, through the public API only.

mod completion;
mod demand;
mod failure;
mod flow;
mod ready_made;
mod stages;
