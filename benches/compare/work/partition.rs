//! One producer and many consumers that sum up: each event to the one that its hash says.

use std::hint::black_box;

use anyhow::Result;
use genstage::prelude::pipeline;
use genstage::stable_hash;

use super::SIZES;
use super::crowd::Crowd;
use super::events::Total;
use super::stages::{Numbers, Partition, Sum};
use crate::measure::{Case, run};
use crate::rivals::{Flume, Kameo, Ractor, Rival, Tokio, halves};

const WINDOW: usize = 100;

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let events = 2_000_000 / scale;
    let case = |consumers| Case {
        work: "partition by hash",
        window: WINDOW,
        consumers,
        events,
        ours: run(move || ours(events, consumers)),
        rivals: vec![
            ("tokio mpsc of batches", run(move || in_batches::<Tokio>(events, consumers))),
            ("tokio mpsc of events", run(move || one_by_one::<Tokio>(events, consumers))),
            ("flume of batches", run(move || in_batches::<Flume>(events, consumers))),
            ("ractor of batches, unbounded", run(move || in_batches::<Ractor>(events, consumers))),
            ("kameo of batches", run(move || in_batches::<Kameo>(events, consumers))),
            ("a loop", run(move || in_a_loop(events, consumers))),
        ],
    };
    SIZES.map(case).into()
}

async fn ours(events: u64, consumers: usize) -> Result<u64> {
    let total = Total::default();
    let app = pipeline! {
        source = Partition { numbers: Numbers::below(events), partitions: consumers };
        sum = Sum::new(&total), replicas: consumers;
        source => sum [max_demand: WINDOW];
    };
    app.run().await?;
    Ok(total.get())
}

/// The hash that genstage partitions by.
fn partition(n: u64, consumers: usize) -> usize {
    (stable_hash(&n) % consumers as u64) as usize
}

/// Gathers a batch for each consumer, and sends it when it is full.
async fn in_batches<R: Rival>(events: u64, consumers: usize) -> Result<u64> {
    let (size, room) = halves(WINDOW);
    let crowd = Crowd::<R, Vec<u64>>::spawn(consumers, room).await?;
    let mut batches: Vec<_> = (0..consumers).map(|_| Vec::with_capacity(size)).collect();
    for n in 0..events {
        let to = partition(n, consumers);
        batches[to].push(n);
        if batches[to].len() == size {
            let batch = std::mem::replace(&mut batches[to], Vec::with_capacity(size));
            R::send(crowd.address(to), batch).await?;
        }
    }
    for (to, batch) in batches.into_iter().enumerate() {
        R::send(crowd.address(to), batch).await?;
    }
    crowd.total().await
}

async fn one_by_one<R: Rival>(events: u64, consumers: usize) -> Result<u64> {
    let crowd = Crowd::<R, u64>::spawn(consumers, WINDOW).await?;
    for n in 0..events {
        R::send(crowd.address(partition(n, consumers)), n).await?;
    }
    crowd.total().await
}

async fn in_a_loop(events: u64, consumers: usize) -> Result<u64> {
    let mut sums = vec![0u64; consumers];
    for n in 0..events {
        let sum = &mut sums[partition(n, consumers)];
        *sum = sum.wrapping_add(n);
    }
    Ok(black_box(sums).into_iter().fold(0, u64::wrapping_add))
}
