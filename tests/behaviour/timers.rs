//! Timers, under the paused clock.

use std::time::Duration;

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{StageRef, Timer};
use tokio::time::{Instant, advance};

use crate::stages::Log;

/// Notes when its timers fire, in milliseconds since `init`.
#[stage(consumer)]
struct Clock {
    started: Instant,
    notes: Log<(u128, &'static str)>,
    every: Option<Timer>,
}

impl Consumer for Clock {
    type Event = u64;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        self.started = Instant::now();
        cx.send_after(Duration::from_millis(25), "once");
        cx.send_after(Duration::from_millis(15), "cancelled").cancel();
        self.every = Some(cx.interval(Duration::from_millis(10), "every"));
        Ok(())
    }

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

impl Cast<&'static str> for Clock {
    async fn handle_cast(&mut self, message: &'static str, _: &mut Context<Self>) -> Result {
        self.notes.push((self.started.elapsed().as_millis(), message));
        if let (true, Some(every)) = (self.started.elapsed().as_millis() >= 30, &self.every) {
            every.cancel();
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn timers_fire_in_time_and_end_with_their_stage() {
    let notes = Log::new();
    let clock: StageRef<Clock> = Clock { started: Instant::now(), notes: notes.clone(), every: None }.spawn();
    for _ in 0..100 {
        advance(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    }
    assert_eq!(notes.take(), [(10, "every"), (20, "every"), (25, "once"), (30, "every")]);

    let handle = clock.clone();
    drop(clock);
    let again: StageRef<Clock> = Clock { started: Instant::now(), notes: notes.clone(), every: None }.spawn();
    again.stop(genstage::Reason::Normal).await;
    advance(Duration::from_millis(50)).await;
    settle().await;
    assert!(notes.take().is_empty() && !handle.has_ended());
}
