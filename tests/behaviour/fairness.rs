//! Stages that never wait let other tasks of their thread run.

use genstage::prelude::*;
use tokio::task::yield_now;

/// How often another task needs its turn, and how much a stage may do meanwhile: tokio lets a task do 128 things at a time.
const TURNS: u64 = 100;
const AT_MOST: u64 = TURNS * 1000;

/// Another task of the same thread.
async fn competitor() {
    for _ in 0..TURNS {
        yield_now().await;
    }
}

struct Again;

/// Sends itself a message whenever it handles one: its mailbox is never empty.
#[stage(consumer)]
#[derive(Default)]
struct Restless {
    handled: u64,
}

impl Consumer for Restless {
    type Event = ();

    async fn handle_events(&mut self, _: &mut Batch<()>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

impl Cast<Again> for Restless {
    async fn handle_cast(&mut self, again: Again, cx: &mut Context<Self>) -> Result {
        self.handled += 1;
        assert!(self.handled < AT_MOST, "nobody else had a turn");
        if let Some(this) = cx.this() {
            this.try_cast(again).map_err(|_| genstage::Error::msg("no room"))?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_stage_whose_mailbox_is_never_empty_lets_others_run() {
    let restless = Restless::default().spawn();
    restless.cast(Again).await.unwrap();
    competitor().await;
    assert!(!restless.has_ended());
    restless.stop(genstage::Reason::Normal).await;
}

/// Emits whatever it is asked for, for ever.
#[stage(producer)]
#[derive(Default)]
struct Endless {
    calls: u64,
}

impl Producer for Endless {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all(0..demand as u64);
        self.calls += 1;
        assert!(self.calls < AT_MOST, "nobody else had a turn");
        Ok(())
    }
}

#[tokio::test]
async fn a_producer_that_is_never_done_lets_others_run() {
    for window in [1, 10, 100] {
        let running = pipeline! {
            endless = Endless::default();
            sink = for_each(|_| ());
            endless => map(|n| n) => sink [max_demand: window];
        }
        .start()
        .unwrap();
        competitor().await;
        assert!(!running.sink.has_ended());
        running.abort().await.unwrap();
    }
}
