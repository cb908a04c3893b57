//! What has become of the events and the stages of one execution.

use std::sync::{Arc, Mutex, MutexGuard};

use genstage::{Reason, Summary};

/// The account of one execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    made: u64,
    handled: Vec<u64>,
    dropped: u64,
    lives: usize,
    /// How often each instance that is gone had terminated.
    terminated: Vec<usize>,
    /// Of all stages: how many subscriptions they have learnt of, and of the end of how many.
    subscribed: usize,
    cancelled: usize,
}

impl Book {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap()
    }

    /// Makes the next event.
    pub(crate) fn event(&self) -> Event {
        let mut entries = self.entries();
        entries.made += 1;
        Event { number: entries.made - 1, book: Some(self.clone()) }
    }

    pub(crate) fn made(&self) -> u64 {
        self.entries().made
    }

    pub(crate) fn subscribed(&self) {
        self.entries().subscribed += 1;
    }

    pub(crate) fn cancelled(&self) {
        self.entries().cancelled += 1;
    }

    /// Each end of a subscription has been told to whoever had learnt of its beginning, once.
    pub(crate) fn subscriptions_are_over(&self) {
        let entries = self.entries();
        assert_eq!(entries.subscribed, entries.cancelled, "subscriptions that began, and that ended");
    }

    /// How many events have been handled.
    pub(crate) fn handled(&self) -> usize {
        self.entries().handled.len()
    }

    /// How many events have been handled: all up to that, in whatever order.
    pub(crate) fn handled_without_gaps(&self) -> usize {
        let mut handled = self.entries().handled.clone();
        handled.sort_unstable();
        assert!(handled.iter().copied().eq(0..handled.len() as u64), "handled: {handled:?}");
        handled.len()
    }

    /// How many events have been handled: all up to that, in their order.
    pub(crate) fn handled_in_order(&self) -> u64 {
        let handled = &self.entries().handled;
        assert!(handled.iter().copied().eq(0..handled.len() as u64), "handled: {handled:?}");
        handled.len() as u64
    }

    /// What was dropped is what the summary calls discarded or lost.
    pub(crate) fn balances(&self, summary: &Summary) {
        let entries = self.entries();
        let stages = summary.stages();
        let gone: u64 = stages.iter().map(|stage| stage.discarded + stage.lost).sum();
        assert_eq!(entries.dropped, gone, "dropped, in\n{summary}");
        let source = &stages[0];
        assert_eq!(entries.made, source.events_out + source.discarded + source.lost, "made, in\n{summary}");
    }

    /// An instance of a stage begins.
    pub(crate) fn life(&self) -> Life {
        self.entries().lives += 1;
        Life { book: self.clone(), terminated: 0 }
    }

    /// Every event has been handled or dropped, and every instance is gone that has been, after it had terminated once.
    pub(crate) fn close(&self) {
        let Entries { made, handled, dropped, lives, terminated, .. } = &*self.entries();
        assert_eq!(
            *made,
            handled.len() as u64 + dropped,
            "events are still somewhere, or were handled twice"
        );
        assert_eq!(*lives, terminated.len(), "instances are still somewhere");
        assert!(terminated.iter().all(|&times| times == 1), "instances have terminated {terminated:?} times");
    }
}

/// An event; the book notes what becomes of it.
#[derive(Debug)]
pub(crate) struct Event {
    number: u64,
    book: Option<Book>,
}

impl Event {
    pub(crate) fn handle(mut self) {
        if let Some(book) = self.book.take() {
            book.entries().handled.push(self.number);
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if let Some(book) = self.book.take() {
            book.entries().dropped += 1;
        }
    }
}

/// One instance of a stage.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) book: Book,
    terminated: usize,
}

impl Life {
    pub(crate) fn terminate(&mut self, _: &Reason) {
        self.terminated += 1;
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.book.entries().terminated.push(self.terminated);
    }
}
