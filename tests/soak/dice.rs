//! Chance that can be thrown again: SplitMix64.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use genstage::{Error, Reason, Result};

/// All who hold a clone throw the same dice.
#[derive(Clone)]
pub(crate) struct Dice(Arc<Mutex<u64>>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&self, end: usize) -> usize {
        // Below a `usize`.
        (self.next() % end as u64) as usize
    }

    pub(crate) fn once_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<T: Clone>(&self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// A window: `max_demand` and `min_demand`.
    pub(crate) fn window(&self) -> (usize, usize) {
        let max = self.one_of(&[1, 2, 3, 7, 20, 100, 1000]);
        (max, self.below(max))
    }

    pub(crate) fn reason(&self) -> Reason {
        self.one_of(&[Reason::Normal, Reason::Shutdown, Reason::custom("stopped")])
    }
}

/// What a panic says that is meant.
pub(crate) const MEANT: &str = "bad luck";

/// How likely callbacks are to fail: once in so many calls, but not for ever: where a failure rebuilds all stages, each of which may
/// fail at once, there would be no end of it.
#[derive(Clone)]
pub(crate) struct Luck {
    pub(crate) dice: Dice,
    once_in: usize,
    left: Arc<AtomicUsize>,
}

impl Luck {
    pub(crate) fn new(dice: &Dice, once_in: usize, faults: usize) -> Self {
        Self { dice: dice.clone(), once_in, left: Arc::new(AtomicUsize::new(faults)) }
    }

    /// Never fails.
    pub(crate) fn good(dice: &Dice) -> Self {
        Self::new(dice, 1, 0)
    }

    /// Fails if luck will have it so, and lets others run before, or not.
    pub(crate) async fn try_it(&self) -> Result {
        for _ in 0..self.dice.below(3) {
            tokio::task::yield_now().await;
        }
        self.try_at_once()
    }

    pub(crate) fn try_at_once(&self) -> Result {
        if !self.dice.once_in(self.once_in)
            || self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err()
        {
            return Ok(());
        }
        assert!(self.dice.once_in(2), "{MEANT}");
        Err(Error::msg(MEANT))
    }
}
