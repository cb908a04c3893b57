//! What a stage and an edge count: written by one task each, read by whoever watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock;
use crate::StageSummary;

/// A number that one task writes. What others read of several is not of one moment.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Gauge {
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// No read and write in one: nobody else writes.
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.set(self.get().saturating_add(more));
    }
}

/// What a stage counts. Events, and what becomes of them, are published when it waits; callbacks as they come.
#[derive(Debug, Default)]
pub(crate) struct StageGauges {
    /// Twice the callbacks that have been called, and one more while one runs.
    turns: Gauge,
    /// Nanoseconds, by the watchers' clock, in callbacks that have ended; and when the last one began.
    busy: Gauge,
    began: Gauge,
    pub(crate) events_in: Gauge,
    pub(crate) events_out: Gauge,
    pub(crate) buffered: Gauge,
    pub(crate) discarded: Gauge,
    pub(crate) lost: Gauge,
    pub(crate) restarts: Gauge,
}

impl StageGauges {
    /// A callback begins. One that did not end has been dropped.
    #[inline]
    pub(crate) fn begin(&self) {
        self.began.set(clock::now());
        self.turns.set((self.turns.get() + 1) | 1);
    }

    /// The callback that runs, if one does, has ended.
    #[inline]
    pub(crate) fn end(&self) {
        let turns = self.turns.get();
        if turns.is_multiple_of(2) {
            return;
        }
        self.turns.set(turns + 1);
        let (began, now) = (self.began.get(), clock::now());
        if now != began {
            self.busy.add(now - began);
        }
    }

    /// The stage has ended: what it did in all.
    pub(crate) fn sum_up(&self, summary: &StageSummary) {
        self.events_in.set(summary.events_in);
        self.events_out.set(summary.events_out);
        self.buffered.set(0);
        self.discarded.set(summary.discarded);
        self.lost.set(summary.lost);
        self.restarts.set(summary.restarts);
    }

    /// How many callbacks have been called.
    pub(crate) fn callbacks(&self) -> u64 {
        self.turns.get().div_ceil(2)
    }

    pub(crate) fn is_in_callback(&self) -> bool {
        self.turns.get() % 2 == 1
    }

    /// How long callbacks have taken, the one that runs included.
    pub(crate) fn busy(&self) -> Duration {
        // In this order, a callback that ends meanwhile is not counted twice.
        let ended = self.busy.get();
        let running = if self.is_in_callback() { clock::now().saturating_sub(self.began.get()) } else { 0 };
        Duration::from_nanos(ended + running)
    }
}

/// What is counted of an edge. Its consumer writes what it asks for and has handled, its producer what it sends.
#[derive(Debug, Default)]
pub(crate) struct EdgeGauges {
    pub(crate) asked: Gauge,
    pub(crate) sent: Gauge,
    pub(crate) handled: Gauge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_that_was_dropped_is_one() {
        let gauges = StageGauges::default();
        gauges.begin();
        assert!(gauges.is_in_callback());
        gauges.begin();
        assert!(gauges.is_in_callback());
        gauges.end();
        gauges.end();
        assert_eq!((gauges.callbacks(), gauges.is_in_callback()), (2, false));
    }
}
