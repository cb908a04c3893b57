//! Counts allocations.

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::sync::{Mutex, MutexGuard};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One count at a time: the tests of a program run at the same time, and each would count the others' allocations.
static ALONE: Mutex<()> = Mutex::const_new(());

/// After how many batches everything that grows has grown.
const WARM: usize = 2_000;

/// What is allocated while a pipeline runs.
pub(crate) struct Count {
    batches: Arc<Batches>,
    _alone: MutexGuard<'static, ()>,
}

#[derive(Default)]
pub(crate) struct Batches {
    handled: AtomicUsize,
    first: AtomicUsize,
    last: AtomicUsize,
}

impl Count {
    pub(crate) async fn begin() -> Self {
        Self { batches: Arc::default(), _alone: ALONE.lock().await }
    }

    /// For those who are to call [`Batches::handled`].
    pub(crate) fn batches(&self) -> Arc<Batches> {
        self.batches.clone()
    }

    /// How many allocations there were for each batch since all was warm.
    pub(crate) fn per_batch(&self) -> f64 {
        let Batches { handled, first, last } = &*self.batches;
        let batches = handled.load(Ordering::Relaxed) - WARM;
        (last.load(Ordering::Relaxed) - first.load(Ordering::Relaxed)) as f64 / batches as f64
    }
}

impl Batches {
    /// A consumer has handled a batch.
    pub(crate) fn handled(&self) {
        let stats = ALLOCATOR.stats();
        let allocations = stats.allocations + stats.reallocations;
        if self.handled.fetch_add(1, Ordering::Relaxed) == WARM {
            self.first.store(allocations, Ordering::Relaxed);
        }
        self.last.store(allocations, Ordering::Relaxed);
    }
}
