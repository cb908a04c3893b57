//! The watchers' clock: it goes while somebody watches.
//!
//! Reading a clock before and after a callback takes about 50 ns, and a batch of five needs three callbacks on its way through three
//! stages, and 250 ns for all of it. This clock is a number that a thread moves on every millisecond, so that reading it is a load. A
//! callback that is shorter takes no time, mostly, and now and then a millisecond: so often that the sum over many is right.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::telemetry;

/// How far the clock moves at a time, if the system wakes its thread in time.
const TICK: Duration = Duration::from_millis(1);

static NANOSECONDS: AtomicU64 = AtomicU64::new(0);
static TICKING: Mutex<Weak<Ticking>> = Mutex::new(Weak::new());

/// How many nanoseconds the clock has been going, in all.
#[inline]
pub(crate) fn now() -> u64 {
    NANOSECONDS.load(Ordering::Relaxed)
}

/// Keeps the clock going.
#[derive(Debug)]
pub(crate) struct Ticking;

impl Ticking {
    /// Sets the clock going, if it stands still. Where there can be no thread for it, it does, and that is reported.
    pub(crate) fn start() -> Arc<Self> {
        let mut ticking = TICKING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ticking) = ticking.upgrade() {
            return ticking;
        }
        let started = Arc::new(Self);
        *ticking = Arc::downgrade(&started);
        let watched = ticking.clone();
        let thread = thread::Builder::new().name("genstage clock".to_owned());
        if let Err(error) = thread.spawn(move || tick(&watched)) {
            telemetry::no_clock(&error);
        }
        started
    }
}

fn tick(watched: &Weak<Ticking>) {
    let mut last = Instant::now();
    loop {
        thread::sleep(TICK);
        if watched.strong_count() == 0 {
            return;
        }
        let now = Instant::now();
        let passed = u64::try_from((now - last).as_nanos()).unwrap_or(u64::MAX);
        last = now;
        NANOSECONDS.fetch_add(passed, Ordering::Relaxed);
    }
}
