//! Tools for tests of stages and dispatchers (feature `testing`).

mod dispatcher;

pub use dispatcher::DispatcherProbe;
