//! Dispatchers: who gets which event.

mod demand;

pub(crate) use demand::DemandDispatcher;
