//! The events of the works, and what they come to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An event, or a batch of them.
pub(crate) trait Value: Send + 'static {
    /// What it counts for in the result of the work.
    fn value(&self) -> u64;
}

impl Value for u64 {
    fn value(&self) -> u64 {
        *self
    }
}

/// A kilobyte.
#[derive(Clone)]
pub(crate) struct Payload {
    number: u64,
    _rest: [u8; 1016],
}

impl From<u64> for Payload {
    fn from(number: u64) -> Self {
        Self { number, _rest: [0; 1016] }
    }
}

impl Value for Payload {
    fn value(&self) -> u64 {
        self.number
    }
}

impl<V: Value> Value for Vec<V> {
    fn value(&self) -> u64 {
        sum(self)
    }
}

impl<V: Value + Sync> Value for Arc<V> {
    fn value(&self) -> u64 {
        V::value(self)
    }
}

/// The sum of all values.
pub(crate) fn sum<V: Value>(values: &[V]) -> u64 {
    values.iter().fold(0, |sum, value| sum.wrapping_add(value.value()))
}

/// The numbers below `events`, in batches.
pub(crate) fn batches<V: From<u64>>(events: u64, batch: usize) -> impl Iterator<Item = Vec<V>> {
    let batch = batch as u64;
    (0..events.div_ceil(batch)).map(move |i| (i * batch..events.min((i + 1) * batch)).map(V::from).collect())
}

/// Where those who sum up leave what they have come to.
#[derive(Clone, Default)]
pub(crate) struct Total(Arc<AtomicU64>);

impl Total {
    pub(crate) fn add(&self, sum: u64) {
        self.0.fetch_add(sum, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
