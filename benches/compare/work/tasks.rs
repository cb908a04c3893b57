//! A task for each event, at most so many at a time: each gives way to the others once, and adds its number.

use std::sync::Arc;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use genstage::prelude::*;
use genstage::{Child, ConsumerSupervisor};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

use super::events::Total;
use super::stages::{Numbers, Source};
use crate::measure::{Case, run};

const AT_A_TIME: usize = 1000;

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let events = 800_000 / scale;
    vec![Case {
        work: "a task for each event",
        window: AT_A_TIME,
        consumers: 1,
        events,
        ours: run(move || ours(events)),
        rivals: vec![
            ("JoinSet", run(move || join_set(events))),
            ("tokio::spawn and Semaphore", run(move || semaphore(events))),
            ("futures for_each_concurrent, no tasks", run(move || concurrently(events))),
        ],
    }]
}

/// What each task does.
async fn task(n: u64, total: Total) {
    yield_now().await;
    total.add(n);
}

#[stage(consumer_supervisor, max_demand = AT_A_TIME)]
struct Tasks(Total);

impl ConsumerSupervisor for Tasks {
    type Event = u64;

    fn start_child(
        &mut self,
        n: u64,
        _: &Child,
    ) -> genstage::Result<impl Future<Output = genstage::Result> + Send + 'static> {
        let task = task(n, self.0.clone());
        Ok(async {
            task.await;
            Ok(())
        })
    }
}

async fn ours(events: u64) -> Result<u64> {
    let total = Total::default();
    let app = pipeline! {
        source = Source(Numbers::below(events));
        tasks = Tasks(total.clone());
        source => tasks;
    };
    app.run().await?;
    Ok(total.get())
}

async fn join_set(events: u64) -> Result<u64> {
    let total = Total::default();
    let mut tasks = JoinSet::new();
    for n in 0..events {
        if tasks.len() == AT_A_TIME {
            tasks.join_next().await.transpose()?;
        }
        tasks.spawn(task(n, total.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    Ok(total.get())
}

/// Nobody learns of a task that panics here.
async fn semaphore(events: u64) -> Result<u64> {
    let (total, permits) = (Total::default(), Arc::new(Semaphore::new(AT_A_TIME)));
    for n in 0..events {
        let (permit, total) = (permits.clone().acquire_owned().await?, total.clone());
        tokio::spawn(async move {
            task(n, total).await;
            drop(permit);
        });
    }
    drop(permits.acquire_many(AT_A_TIME as u32).await?);
    Ok(total.get())
}

async fn concurrently(events: u64) -> Result<u64> {
    let total = Total::default();
    stream::iter(0..events).for_each_concurrent(AT_A_TIME, |n| task(n, total.clone())).await;
    Ok(total.get())
}
