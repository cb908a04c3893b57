//! Time that passes as fast or as slowly as the schedule likes.

use std::pin::pin;
use std::time::Duration;

pub use real::time::{Instant, MissedTickBehavior};

use crate::task::yield_now;

/// For how many steps of its task something waits at most that waits for time.
const LONGEST: u32 = 12;

pub async fn sleep(_: Duration) {
    for _ in 0..crate::random(LONGEST) {
        yield_now().await;
    }
}

pub async fn sleep_until(_: Instant) {
    sleep(Duration::ZERO).await;
}

/// It took too long.
#[derive(Debug)]
pub struct Elapsed(());

pub async fn timeout<F: Future>(time: Duration, future: F) -> Result<F::Output, Elapsed> {
    let (future, time) = (pin!(future), pin!(sleep(time)));
    real::select! {
        biased;
        output = future => Ok(output),
        () = time => Err(Elapsed(())),
    }
}

pub fn interval_at(_: Instant, period: Duration) -> Interval {
    Interval { period }
}

#[derive(Debug)]
pub struct Interval {
    period: Duration,
}

impl Interval {
    pub fn set_missed_tick_behavior(&mut self, _: MissedTickBehavior) {}

    pub async fn tick(&mut self) -> Instant {
        sleep(self.period).await;
        Instant::now()
    }
}
