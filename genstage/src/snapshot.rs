use std::sync::Arc;
use std::time::Duration;

use crate::role::Kind;
use crate::{DemandMode, Subscription};

/// What a stage is doing at one moment; from [`StageRef::snapshot`](crate::StageRef::snapshot).
///
/// The stage says so itself, between two of its callbacks: all numbers are of one moment, and one that is stuck in a callback says
/// nothing. A [`Watch`](crate::Watch) looks at it from outside.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The stage's name.
    pub name: Arc<str>,
    /// Its role.
    pub role: Kind,
    /// The name of its dispatcher's type, without path and parameters; none for a consumer.
    pub dispatcher: Option<&'static str>,
    /// What it does with its consumers' demand.
    pub demand: DemandMode,
    /// Its subscriptions to producers, the oldest first.
    pub producers: Vec<Subscription>,
    /// Its consumers' subscriptions, the oldest first.
    pub consumers: Vec<Subscription>,
    /// Events that wait in its buffer, or that a ready-made stage has in hand. Infos do not count.
    pub buffered: usize,
    /// Events that were emitted while demand was accumulated, and wait until it is forwarded again. They are at most as many as
    /// the buffer holds, or 10 000 if that is more.
    pub accumulated: usize,
    /// Events handed to its event handler so far.
    pub events_in: u64,
    /// Events sent to its consumers so far; under a dispatcher that copies, each copy counts.
    pub events_out: u64,
    /// Events that reached it or were emitted by it and that nobody will see.
    pub discarded: u64,
    /// Events lost with failed calls of its handlers.
    pub lost: u64,
    /// How often it has been begun anew.
    pub restarts: u64,
    /// Messages that have come and that it has not looked at: batches, asks, and messages of the user's.
    pub mailbox: usize,
    /// How many callbacks have been called.
    pub callbacks: u64,
    /// How long it has been in callbacks while somebody had a [`Watch`](crate::Watch).
    pub busy: Duration,
}

/// The name of a type, without path and parameters.
pub(crate) fn plain_type_name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    let plain = path.split('<').next().unwrap_or(path);
    plain.rsplit("::").next().unwrap_or(plain)
}
