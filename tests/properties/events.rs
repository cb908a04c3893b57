//! Events that say where they come from, and a tally of what became of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Events fall into so many lanes: by them, partitions and selectors tell them apart.
pub(crate) const LANES: usize = 4;

/// Which event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    /// The stage that emitted it.
    pub(crate) emitter: usize,
    /// How many that stage had emitted before.
    pub(crate) number: u64,
    pub(crate) payload: u64,
    /// Whether it answers demand.
    pub(crate) answers: bool,
}

impl Stamp {
    pub(crate) fn lane(self) -> usize {
        // Below `LANES`.
        (self.payload % LANES as u64) as usize
    }
}

/// An event, or one copy of it.
#[derive(Debug)]
pub(crate) struct Event {
    stamp: Stamp,
    tally: Arc<Tally>,
}

impl Event {
    pub(crate) fn new(stamp: Stamp, tally: Arc<Tally>) -> Self {
        tally.0[stamp.lane()].made.fetch_add(1, Relaxed);
        Self { stamp, tally }
    }

    pub(crate) fn lane(&self) -> usize {
        self.stamp.lane()
    }

    pub(crate) fn payload(&self) -> u64 {
        self.stamp.payload
    }

    /// A handler has it: what is dropped without that has reached nobody.
    pub(crate) fn deliver(self) -> Stamp {
        self.tally.0[self.stamp.lane()].delivered.fetch_add(1, Relaxed);
        self.stamp
    }
}

impl Clone for Event {
    fn clone(&self) -> Self {
        Self::new(self.stamp, self.tally.clone())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        self.tally.0[self.stamp.lane()].gone.fetch_add(1, Relaxed);
    }
}

/// What became of the events of one stage, all copies counted.
#[derive(Debug, Default)]
pub(crate) struct Tally([Lane; LANES]);

#[derive(Debug, Default)]
struct Lane {
    made: AtomicU64,
    delivered: AtomicU64,
    gone: AtomicU64,
}

impl Tally {
    /// How many there ever were.
    pub(crate) fn made(&self) -> u64 {
        self.0.iter().map(|lane| lane.made.load(Relaxed)).sum()
    }

    /// How many still wait somewhere.
    pub(crate) fn alive(&self) -> u64 {
        self.alive_where(|_| true)
    }

    /// How many of some lanes still wait somewhere.
    pub(crate) fn alive_where(&self, wanted: impl Fn(usize) -> bool) -> u64 {
        self.sum(wanted, |lane| lane.made.load(Relaxed) - lane.gone.load(Relaxed))
    }

    /// How many were dropped without having reached a handler.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped_where(|_| true)
    }

    /// How many of some lanes were dropped without having reached a handler.
    pub(crate) fn dropped_where(&self, wanted: impl Fn(usize) -> bool) -> u64 {
        self.sum(wanted, |lane| lane.gone.load(Relaxed) - lane.delivered.load(Relaxed))
    }

    fn sum(&self, wanted: impl Fn(usize) -> bool, count: impl Fn(&Lane) -> u64) -> u64 {
        self.0.iter().enumerate().filter(|(lane, _)| wanted(*lane)).map(|(_, lane)| count(lane)).sum()
    }
}
