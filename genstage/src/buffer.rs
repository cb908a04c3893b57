//! The buffer between a stage's handlers and its dispatcher.

use std::collections::VecDeque;

/// Which events stay when a buffer overflows: the option `buffer_keep` of `#[stage]`.
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

/// Names an info that is held until the events before it have gone.
pub type Marker = u64;

/// Events that were emitted while nobody wanted them, in the order in which they were emitted, and infos between them.
///
/// An info stays behind the event that was the last when it came. In a bounded buffer it leaves with that event, taken or
/// discarded; in an unbounded one, as in GenStage, when something behind that event is wanted. It needs no room.
#[derive(Debug)]
pub struct Buffer<T> {
    events: VecDeque<T>,
    /// Each with the number of the event it stands behind.
    infos: VecDeque<(u64, Marker)>,
    /// The number of the newest event. Numbers begin in the middle, so that events that come back have some before.
    last: u64,
    capacity: usize,
    keep: Keep,
}

impl<T> Buffer<T> {
    /// An empty buffer.
    pub fn new(capacity: Capacity, keep: Keep) -> Self {
        let capacity = match capacity {
            Capacity::Events(events) => events,
            Capacity::Unbounded => usize::MAX,
        };
        Self { events: VecDeque::new(), infos: VecDeque::new(), last: 1 << 63, capacity, keep }
    }

    /// How many events there are; infos do not count.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is nothing, neither events nor infos.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.infos.is_empty()
    }

    /// How many more events it holds.
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.len())
    }

    fn is_bounded(&self) -> bool {
        self.capacity < usize::MAX
    }

    /// Empties `events` into the buffer; how many events, old or new, were discarded for want of room. The infos that stood
    /// behind discarded events go to `released`.
    pub fn store(&mut self, events: &mut Vec<T>, released: &mut impl Extend<Marker>) -> usize {
        // More than there is room for may be there already: what came back.
        let excess = (self.len() + events.len()).saturating_sub(self.capacity);
        let discarded = if self.keep == Keep::First { excess.min(events.len()) } else { excess };
        match self.keep {
            Keep::First => {
                let room = events.len() - discarded;
                self.last += room as u64;
                self.events.extend(events.drain(..).take(room));
            }
            Keep::Last => {
                let old = discarded.min(self.len());
                self.events.drain(..old);
                self.last += (events.len() - (discarded - old)) as u64;
                self.events.extend(events.drain(..).skip(discarded - old));
            }
        }
        if self.is_bounded() {
            self.release(released);
        }
        discarded
    }

    /// Puts an info behind the newest event. False if the buffer is empty: then its turn is now.
    pub fn store_info(&mut self, info: Marker) -> bool {
        if !self.is_empty() {
            self.infos.push_back((self.last, info));
        }
        !self.is_empty()
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.infos.clear();
        self.events.clear();
    }

    /// Moves the oldest `wanted` events behind those in `into`, but none beyond the next info; the infos whose turn has come
    /// then go to `released`.
    pub fn take(&mut self, wanted: usize, into: &mut Vec<T>, released: &mut impl Extend<Marker>) {
        let before = self.last - self.len() as u64;
        let next_info = self.infos.front().map_or(u64::MAX, |(behind, _)| behind - before);
        let taken = wanted.min(self.len()).min(usize::try_from(next_info).unwrap_or(usize::MAX));
        into.extend(self.events.drain(..taken));
        if self.is_bounded() {
            self.release(released);
        } else if taken < wanted {
            released.extend(self.infos.pop_front().map(|(_, info)| info));
        }
    }

    /// Puts events before all others: those that `take` gave and nobody had room for, `infos` having stood behind them, or those
    /// that a consumer gave back. They are kept even if the buffer is full.
    pub fn put_back(&mut self, events: &mut Vec<T>, infos: &[Marker]) {
        let behind = self.last - self.len() as u64;
        events.drain(..).rev().for_each(|event| self.events.push_front(event));
        infos.iter().rev().for_each(|info| self.infos.push_front((behind, *info)));
    }

    fn release(&mut self, released: &mut impl Extend<Marker>) {
        let gone = self.last - self.len() as u64;
        let due = self.infos.iter().take_while(|(behind, _)| *behind <= gone).count();
        released.extend(self.infos.drain(..due).map(|(_, info)| info));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(buffer: &mut Buffer<u32>) -> Vec<u32> {
        let mut events = vec![];
        buffer.take(usize::MAX, &mut events, &mut vec![]);
        events
    }

    #[test]
    fn keep_first_discards_what_comes() {
        let mut buffer = Buffer::new(Capacity::Events(3), Keep::First);
        assert_eq!(buffer.store(&mut vec![1, 2], &mut vec![]), 0);
        assert_eq!(buffer.store(&mut vec![3, 4, 5], &mut vec![]), 2);
        assert_eq!(all(&mut buffer), [1, 2, 3]);
    }

    #[test]
    fn keep_last_discards_what_is_there() {
        let mut buffer = Buffer::new(Capacity::Events(3), Keep::Last);
        assert_eq!(buffer.store(&mut vec![1, 2, 3], &mut vec![]), 0);
        assert_eq!(buffer.store(&mut vec![4, 5], &mut vec![]), 2);
        assert_eq!(all(&mut buffer), [3, 4, 5]);
        assert_eq!(buffer.store(&mut vec![1, 2, 3, 4, 5], &mut vec![]), 2);
        assert_eq!(all(&mut buffer), [3, 4, 5]);
    }

    #[test]
    fn unbounded_discards_nothing() {
        let mut buffer = Buffer::new(Capacity::Unbounded, Keep::First);
        assert_eq!(buffer.store(&mut (0..1000).collect(), &mut vec![]), 0);
        assert_eq!(buffer.len(), 1000);
    }

    /// What a take yields: events, infos, and how much is still wanted.
    fn take(buffer: &mut Buffer<u32>, wanted: usize) -> (Vec<u32>, Vec<Marker>, usize) {
        let (mut events, mut infos) = (vec![], vec![]);
        buffer.take(wanted, &mut events, &mut infos);
        let left = wanted - events.len();
        (events, infos, left)
    }

    /// Lines 31, 32, 33, 34, 36, 37, 38 and 39 of the catalogue.
    #[test]
    fn c031_to_c039_as_in_genstages_suite() {
        let ten = || Buffer::new(Capacity::Events(10), Keep::First);
        let mut buffer = ten();
        buffer.store(&mut vec![1, 2], &mut vec![]);
        assert!(buffer.store_info(3) && buffer.store_info(4));
        assert_eq!(buffer.len(), 2, "c031");

        assert!(!ten().store_info(1), "c036");
        assert_eq!(take(&mut ten(), 5), (vec![], vec![], 5), "c037");

        let mut buffer = ten();
        buffer.store(&mut vec![1, 2], &mut vec![]);
        buffer.store_info(3);
        buffer.store(&mut vec![4], &mut vec![]);
        assert_eq!(take(&mut buffer, 5), (vec![1, 2], vec![3], 3), "c038");
        assert_eq!(take(&mut buffer, 3), (vec![4], vec![], 2), "c038");

        let mut buffer = ten();
        buffer.store(&mut vec![1, 2], &mut vec![]);
        (3..6).for_each(|info| assert!(buffer.store_info(info)));
        assert_eq!(take(&mut buffer, 5), (vec![1, 2], vec![3, 4, 5], 3), "c039");

        for (keep, kept) in [(Keep::First, [1, 2, 3]), (Keep::Last, [4, 5, 6])] {
            let mut buffer = Buffer::new(Capacity::Events(3), keep);
            assert_eq!(buffer.store(&mut vec![1, 2, 3], &mut vec![]), 0, "c032, c034");
            assert_eq!(buffer.store(&mut vec![4, 5, 6], &mut vec![]), 3, "c032, c034");
            assert_eq!(take(&mut buffer, 3), (kept.to_vec(), vec![], 0), "c032, c034");
        }
    }

    #[test]
    fn what_comes_back_stands_before_everything() {
        let mut buffer = Buffer::new(Capacity::Events(2), Keep::First);
        buffer.put_back(&mut vec![1, 2], &[]);
        assert_eq!(buffer.store(&mut vec![3], &mut vec![]), 1);
        buffer.put_back(&mut vec![0], &[]);
        assert_eq!(buffer.store(&mut vec![3], &mut vec![]), 1);
        buffer.take(1, &mut vec![], &mut vec![]);
        assert!(buffer.store_info(7));
        let (mut events, mut infos) = (vec![], vec![]);
        buffer.take(2, &mut events, &mut infos);
        assert_eq!((events.as_slice(), infos.as_slice()), ([1, 2].as_slice(), [7].as_slice()));
        buffer.put_back(&mut events, &infos);
        assert_eq!(buffer.len(), 2);
        infos.clear();
        buffer.take(1, &mut events, &mut infos);
        assert_eq!((events.as_slice(), infos.as_slice()), ([1].as_slice(), [].as_slice()));
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
                    prop_assert_eq!(buffer.store(&mut events, &mut vec![]), excess);
                    prop_assert!(events.is_empty());
                } else {
                    let mut taken = vec![];
                    buffer.take(n, &mut taken, &mut vec![]);
                    let expected: Vec<u32> = model.drain(..n.min(model.len())).collect();
                    prop_assert_eq!(taken, expected);
                }
                prop_assert_eq!(buffer.len(), model.len());
            }
        }
    }
}
