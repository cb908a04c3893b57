//! The buffer between a stage's handlers and its dispatcher.

use std::collections::VecDeque;

/// Which events stay when a buffer overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The events that were there first; new ones are discarded.
    First,
    /// The events that came last; the oldest are discarded. GenStage's default.
    #[default]
    Last,
}

/// How many events a buffer holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// That many events.
    Events(usize),
    /// As many as memory holds.
    Unbounded,
}

impl Capacity {
    /// GenStage's default for producers.
    pub(crate) const PRODUCER: Self = Self::Events(10_000);
    /// A producer-consumer takes in only what its consumers asked for, so what one batch expands to is its bound.
    pub(crate) const PRODUCER_CONSUMER: Self = Self::Unbounded;
}

/// Checks the capacity that `#[stage]` states, while the crate compiles.
pub const fn check_capacity(events: usize) {
    assert!(events > 0, "expected buffer_size >= 1, got 0; to keep everything, write `unbounded`");
}

/// Events that were emitted while nobody wanted them, in the order in which they were emitted.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    events: VecDeque<T>,
    capacity: usize,
    keep: Keep,
}

impl<T> Buffer<T> {
    pub(crate) fn new(capacity: Capacity, keep: Keep) -> Self {
        let capacity = match capacity {
            Capacity::Events(events) => events,
            Capacity::Unbounded => usize::MAX,
        };
        Self { events: VecDeque::new(), capacity, keep }
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Empties `events` into the buffer; how many events, old or new, were discarded for want of room.
    pub(crate) fn store(&mut self, events: &mut Vec<T>) -> usize {
        let discarded = (self.len() + events.len()).saturating_sub(self.capacity);
        match self.keep {
            Keep::First => {
                let room = events.len() - discarded;
                self.events.extend(events.drain(..).take(room));
            }
            Keep::Last => {
                let old = discarded.min(self.len());
                self.events.drain(..old);
                self.events.extend(events.drain(..).skip(discarded - old));
            }
        }
        discarded
    }

    /// Drops everything; how many events that was.
    pub(crate) fn clear(&mut self) -> usize {
        self.events.drain(..).count()
    }

    /// Moves the oldest `wanted` events, or all there are, behind those in `into`.
    pub(crate) fn take(&mut self, wanted: usize, into: &mut Vec<T>) {
        into.extend(self.events.drain(..wanted.min(self.events.len())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(buffer: &mut Buffer<u32>) -> Vec<u32> {
        let mut events = vec![];
        buffer.take(usize::MAX, &mut events);
        events
    }

    #[test]
    fn keep_first_discards_what_comes() {
        let mut buffer = Buffer::new(Capacity::Events(3), Keep::First);
        assert_eq!(buffer.store(&mut vec![1, 2]), 0);
        assert_eq!(buffer.store(&mut vec![3, 4, 5]), 2);
        assert_eq!(all(&mut buffer), [1, 2, 3]);
    }

    #[test]
    fn keep_last_discards_what_is_there() {
        let mut buffer = Buffer::new(Capacity::Events(3), Keep::Last);
        assert_eq!(buffer.store(&mut vec![1, 2, 3]), 0);
        assert_eq!(buffer.store(&mut vec![4, 5]), 2);
        assert_eq!(all(&mut buffer), [3, 4, 5]);
        assert_eq!(buffer.store(&mut vec![1, 2, 3, 4, 5]), 2);
        assert_eq!(all(&mut buffer), [3, 4, 5]);
    }

    #[test]
    fn unbounded_discards_nothing() {
        let mut buffer = Buffer::new(Capacity::Unbounded, Keep::First);
        assert_eq!(buffer.store(&mut (0..1000).collect()), 0);
        assert_eq!(buffer.len(), 1000);
    }

    proptest! {
        /// Against the obvious model: a list cut at the front or at the back.
        #[test]
        fn behaves_like_a_list_that_is_cut(
            capacity in 1usize..20,
            first in any::<bool>(),
            ops in prop::collection::vec((any::<bool>(), 0usize..15), 0..40),
        ) {
            let keep = if first { Keep::First } else { Keep::Last };
            let mut buffer = Buffer::new(Capacity::Events(capacity), keep);
            let (mut model, mut next) = (Vec::<u32>::new(), 0u32);
            for (store, n) in ops {
                if store {
                    let mut events: Vec<u32> = (next..next + n as u32).collect();
                    next += n as u32;
                    model.extend(&events);
                    let excess = model.len().saturating_sub(capacity);
                    if first { model.truncate(capacity) } else { model.drain(..excess); }
                    prop_assert_eq!(buffer.store(&mut events), excess);
                    prop_assert!(events.is_empty());
                } else {
                    let mut taken = vec![];
                    buffer.take(n, &mut taken);
                    let expected: Vec<u32> = model.drain(..n.min(model.len())).collect();
                    prop_assert_eq!(taken, expected);
                }
                prop_assert_eq!(buffer.len(), model.len());
            }
        }
    }
}
