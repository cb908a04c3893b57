//! Demand arithmetic: how much a consumer asks for, and when.

/// GenStage's default for `max_demand`.
pub(crate) const DEFAULT_MAX_DEMAND: usize = 1000;

/// A subscription's demand window.
///
/// The consumer asks for `max` at first. What arrives is handled in batches of at most `max - min`; whenever at most
/// `min` events are outstanding after a batch, it asks for as many as are missing to `max`. So at most `max` events are
/// on their way to a consumer over one subscription, and with the default of `min = max / 2` one half is on its way
/// while the other is handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    max: usize,
    min: usize,
    batch: usize,
    outstanding: usize,
}

/// A demand window that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// `max_demand` is 0: the consumer would never ask for anything.
    #[error("expected max_demand >= 1, got 0")]
    ZeroMax,
    /// `min_demand` is not below `max_demand`: the consumer would never stop asking.
    #[error("expected min_demand below max_demand ({max}), got {min}")]
    MinNotBelowMax {
        /// The window's `max_demand`.
        max: usize,
        /// The window's `min_demand`.
        min: usize,
    },
    /// A rate of no events: the consumer would never ask for anything.
    #[error("expected a rate of at least 1 event, got 0")]
    ZeroRate,
}

impl Window {
    /// A window of `max` (default 1000) and `min` (default `max / 2`).
    pub fn new(max: Option<usize>, min: Option<usize>) -> Result<Self, WindowError> {
        let max = max.unwrap_or(DEFAULT_MAX_DEMAND);
        let min = min.unwrap_or(max / 2);
        match (max, min) {
            (0, _) => Err(WindowError::ZeroMax),
            _ if min >= max => Err(WindowError::MinNotBelowMax { max, min }),
            _ => Ok(Self { max, min, batch: max - min, outstanding: 0 }),
        }
    }

    /// A window of at most `limit` events, in which all that has been handled is asked for again at once.
    pub fn limited(limit: usize, max: Option<usize>, min: Option<usize>) -> Result<Self, WindowError> {
        if limit == 0 {
            return Err(WindowError::ZeroRate);
        }
        let window = Self::new(max, min)?;
        let max = window.max.min(limit);
        Ok(Self { max, min: max - 1, batch: window.batch.min(max.div_ceil(2)), outstanding: 0 })
    }

    /// The first ask.
    pub fn open(&mut self) -> usize {
        self.outstanding = self.max;
        self.max
    }

    /// How many events have been asked for and not handled.
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// The most events that one call of the handler sees.
    pub fn batch_size(&self) -> usize {
        self.batch
    }

    /// `max_demand` and `min_demand`.
    pub(crate) fn bounds(&self) -> (usize, usize) {
        (self.max, self.min)
    }

    /// Takes note of a batch that has been handled; what to ask for now, 0 for nothing.
    pub fn handled(&mut self, events: usize) -> usize {
        self.outstanding = self.outstanding.saturating_sub(events);
        if self.outstanding > self.min {
            return 0;
        }
        let ask = self.max - self.outstanding;
        self.outstanding = self.max;
        ask
    }
}

/// Checks the window that `#[stage]` states while the crate compiles; `Window::new` knows the same rules.
#[expect(clippy::panic, reason = "a panic in a constant is a compile error")]
pub const fn check_window(max: Option<usize>, min: Option<usize>) {
    let max = match max {
        Some(0) => panic!("expected max_demand >= 1, got 0"),
        Some(max) => max,
        None => DEFAULT_MAX_DEMAND,
    };
    if let Some(min) = min
        && min >= max
    {
        panic!("expected min_demand below max_demand (1000 if it is not stated)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Plays messages of the given sizes; `(batch, ask)` for each batch.
    fn play(max: usize, min: usize, received: &[usize]) -> Vec<(usize, usize)> {
        let mut window = Window::new(Some(max), Some(min)).unwrap();
        window.open();
        let mut batches = vec![];
        for &size in received {
            let mut left = size;
            while left > 0 {
                let batch = left.min(window.batch_size());
                left -= batch;
                batches.push((batch, window.handled(batch)));
            }
        }
        batches
    }

    #[test]
    fn defaults_are_genstages() {
        let mut window = Window::new(None, None).unwrap();
        assert_eq!(window.open(), 1000);
        assert_eq!(window.batch_size(), 500);
        assert_eq!((window.handled(500), window.handled(499), window.handled(1)), (500, 0, 500));
    }

    #[test]
    fn refills_when_outstanding_demand_is_at_most_min() {
        assert_eq!(play(10, 5, &[6]), [(5, 5), (1, 0)]);
        assert_eq!(play(5, 1, &[3, 1, 3, 1]), [(3, 0), (1, 4), (3, 0), (1, 4)]);
        assert_eq!(play(50, 8, &[45]), [(42, 42), (3, 0)]);
        assert_eq!(play(1, 0, &[1, 1]), [(1, 1), (1, 1)]);
    }

    #[test]
    fn a_limited_window_asks_again_for_what_has_been_handled() {
        let mut window = Window::limited(5, None, None).unwrap();
        assert_eq!((window.open(), window.batch_size()), (5, 3));
        assert_eq!((window.handled(3), window.handled(1)), (3, 1));
        assert_eq!(Window::limited(1, None, None).unwrap().batch_size(), 1);
        assert_eq!(Window::limited(10, Some(4), Some(1)).unwrap().batch_size(), 2);
        assert_eq!(Window::limited(0, None, None), Err(WindowError::ZeroRate));
        assert_eq!(Window::limited(1, Some(2), Some(2)), Err(WindowError::MinNotBelowMax { max: 2, min: 2 }));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(Window::new(Some(0), None), Err(WindowError::ZeroMax));
        assert_eq!(Window::new(Some(0), Some(0)), Err(WindowError::ZeroMax));
        assert_eq!(Window::new(None, Some(2000)), Err(WindowError::MinNotBelowMax { max: 1000, min: 2000 }));
        assert_eq!(Window::new(Some(7), Some(7)), Err(WindowError::MinNotBelowMax { max: 7, min: 7 }));
    }

    proptest! {
        /// Asked = handled + outstanding, and never more than `max` outstanding, whatever arrives within the window.
        #[test]
        fn credit_is_conserved(
            (max, min) in (1usize..2000).prop_flat_map(|max| (Just(max), 0..max)),
            sizes in prop::collection::vec(1usize..3000, 1..50),
        ) {
            let mut window = Window::new(Some(max), Some(min)).unwrap();
            let (mut asked, mut handled) = (window.open(), 0);
            for size in sizes {
                let batch = size.min(window.batch_size()).min(window.outstanding);
                handled += batch;
                asked += window.handled(batch);
                prop_assert_eq!(asked, handled + window.outstanding);
                prop_assert!(window.outstanding > min && window.outstanding <= max);
            }
        }
    }
}
