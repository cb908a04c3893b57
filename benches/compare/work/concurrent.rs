//! So many events at a time, in order: each gives way to the others once, and adds its number.

use anyhow::Result;
use futures_util::{StreamExt, stream};
use genstage::prelude::*;
use tokio::task::yield_now;

use super::events::Total;
use super::stages::{Numbers, Source};
use crate::measure::{Case, run};

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let case = |limit: usize| {
        let events = 800_000 / scale;
        Case {
            work: "so many at a time, in order",
            window: limit,
            consumers: 1,
            events,
            ours: run(move || ours(events, limit)),
            rivals: vec![("futures streams", run(move || streams(events, limit)))],
        }
    };
    [8, 100].map(case).into()
}

async fn work(n: u64) -> u64 {
    yield_now().await;
    n
}

async fn ours(events: u64, limit: usize) -> Result<u64> {
    let total = Total::default();
    let sum = total.clone();
    let app = pipeline! {
        source = Source(Numbers::below(events));
        source => map_concurrent(limit, work) => for_each(move |n| sum.add(n));
    };
    app.run().await?;
    Ok(total.get())
}

async fn streams(events: u64, limit: usize) -> Result<u64> {
    let total = Total::default();
    stream::iter(0..events).map(work).buffered(limit).for_each(async |n| total.add(n)).await;
    Ok(total.get())
}
