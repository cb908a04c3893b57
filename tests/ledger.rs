//! Events that tell a ledger what became of them: the tests' own counting, beside that of the summaries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use genstage::Summary;

/// What became of the events of one stage.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    made: AtomicU64,
    delivered: AtomicU64,
    dropped: AtomicU64,
}

impl Ledger {
    /// Makes an event of that number, which may be whatever the test wants.
    #[must_use]
    pub fn event(&self, number: u64) -> Event {
        self.0.made.fetch_add(1, Relaxed);
        Event(Arc::new(Life { number, delivered: AtomicBool::new(false), ledger: self.clone() }))
    }

    /// How many events there ever were.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.0.made.load(Relaxed)
    }

    /// How many of them a handler had that got through.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.0.delivered.load(Relaxed)
    }

    /// How many were dropped without that.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }

    /// How many still wait somewhere.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.made() - self.delivered() - self.dropped()
    }
}

/// An event. Clones are the same event.
#[derive(Clone, Debug)]
pub struct Event(Arc<Life>);

#[derive(Debug)]
struct Life {
    number: u64,
    delivered: AtomicBool,
    ledger: Ledger,
}

impl Event {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// A handler that had it got through.
    pub fn deliver(&self) {
        self.0.delivered.store(true, Relaxed);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let Counts { delivered, dropped, .. } = &*self.ledger.0;
        let counter = if self.delivered.load(Relaxed) { delivered } else { dropped };
        counter.fetch_add(1, Relaxed);
    }
}

/// An event whose clones are events of their own, with the same number: for broadcasts.
#[derive(Debug)]
pub struct Copied(pub Event);

impl Clone for Copied {
    fn clone(&self) -> Self {
        Self(self.0.0.ledger.event(self.0.number()))
    }
}

/// The books of a pipeline that has ended agree with the ledgers of all its events.
///
/// # Panics
///
/// If an event is neither delivered nor counted as discarded or lost by some stage, or is still somewhere.
pub fn assert_balanced(summary: &Summary, ledgers: &[&Ledger]) {
    let [alive, dropped] =
        [Ledger::alive, Ledger::dropped].map(|count| ledgers.iter().map(|ledger| count(ledger)).sum::<u64>());
    assert_eq!(alive, 0, "events that are still somewhere, in\n{summary}");
    let counted: u64 = summary.stages().iter().map(|stage| stage.discarded + stage.lost).sum();
    assert_eq!(dropped, counted, "events dropped, and discarded or lost by\n{summary}");
}
