//! A -> B -> C: numbers, doubled, summed up.

use std::hint::black_box;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use genstage::prelude::pipeline;
use tokio::sync::mpsc;

use super::stages::{Double, Source, Sum};
use crate::measure::{Case, run};

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let case = |(window, events): (usize, u64)| {
        let events = events / scale;
        Case {
            work: "A -> B -> C",
            window,
            consumers: 1,
            events,
            ours: run(move || ours(events, window)),
            rivals: vec![
                ("tokio mpsc of batches", run(move || batches(events, window))),
                ("tokio mpsc", run(move || one_by_one(events, window))),
                ("flume of batches", run(move || flume(events, window))),
                ("futures streams", run(move || streams(events, window))),
                ("a loop over batches", run(move || in_a_loop(events, window))),
            ],
        }
    };
    [(1000, 20_000_000), (100, 5_000_000), (10, 1_000_000), (1, 200_000)].map(case).into()
}

async fn ours(events: u64, window: usize) -> Result<()> {
    let app = pipeline! {
        source = Source::new(events);
        double = Double;
        sum = Sum::default();
        source => double [max_demand: window] => sum [max_demand: window];
    };
    app.run().await?;
    Ok(())
}

/// The same number of events on their way: batches of half the window, and room for two of them.
fn halves(window: usize) -> (u64, usize) {
    let batch = window.div_ceil(2);
    (batch as u64, window / batch)
}

async fn batches(events: u64, window: usize) -> Result<()> {
    let (batch, room) = halves(window);
    let (to_double, mut numbers) = mpsc::channel::<Vec<u64>>(room);
    let (to_sum, mut doubled) = mpsc::channel::<Vec<u64>>(room);
    tokio::spawn(async move {
        let mut next = 0;
        while next < events {
            let end = events.min(next + batch);
            to_double.send((next..end).collect()).await?;
            next = end;
        }
        anyhow::Ok(())
    });
    tokio::spawn(async move {
        while let Some(mut batch) = numbers.recv().await {
            batch.iter_mut().for_each(|n| *n = n.wrapping_mul(2));
            to_sum.send(batch).await?;
        }
        anyhow::Ok(())
    });
    let mut sum = 0u64;
    while let Some(batch) = doubled.recv().await {
        sum = batch.iter().fold(sum, |sum, n| sum.wrapping_add(*n));
    }
    black_box(sum);
    Ok(())
}

async fn one_by_one(events: u64, window: usize) -> Result<()> {
    let (to_double, mut numbers) = mpsc::channel(window);
    let (to_sum, mut doubled) = mpsc::channel(window);
    tokio::spawn(async move {
        for n in 0..events {
            to_double.send(n).await?;
        }
        anyhow::Ok(())
    });
    tokio::spawn(async move {
        while let Some(n) = numbers.recv().await {
            to_sum.send(u64::wrapping_mul(n, 2)).await?;
        }
        anyhow::Ok(())
    });
    let mut sum = 0u64;
    while let Some(n) = doubled.recv().await {
        sum = sum.wrapping_add(n);
    }
    black_box(sum);
    Ok(())
}

async fn flume(events: u64, window: usize) -> Result<()> {
    let (batch, room) = halves(window);
    let (to_double, numbers) = flume::bounded::<Vec<u64>>(room);
    let (to_sum, doubled) = flume::bounded::<Vec<u64>>(room);
    tokio::spawn(async move {
        let mut next = 0;
        while next < events {
            let end = events.min(next + batch);
            to_double.send_async((next..end).collect()).await?;
            next = end;
        }
        anyhow::Ok(())
    });
    tokio::spawn(async move {
        while let Ok(mut batch) = numbers.recv_async().await {
            batch.iter_mut().for_each(|n| *n = n.wrapping_mul(2));
            to_sum.send_async(batch).await?;
        }
        anyhow::Ok(())
    });
    let mut sum = 0u64;
    while let Ok(batch) = doubled.recv_async().await {
        sum = batch.iter().fold(sum, |sum, n| sum.wrapping_add(*n));
    }
    black_box(sum);
    Ok(())
}

async fn streams(events: u64, window: usize) -> Result<()> {
    let doubled = stream::iter(0..events).map(|n| async move { n.wrapping_mul(2) }).buffered(window);
    black_box(doubled.fold(0u64, |sum, n| async move { sum.wrapping_add(n) }).await);
    Ok(())
}

/// What no scheduler costs: the limit.
async fn in_a_loop(events: u64, window: usize) -> Result<()> {
    let (batch, _) = halves(window);
    let (mut next, mut sum, mut numbers, mut doubled) = (0, 0u64, vec![], vec![]);
    while next < events {
        let end = events.min(next + batch);
        numbers.extend(next..end);
        doubled.extend(black_box(&mut numbers).drain(..).map(|n: u64| n.wrapping_mul(2)));
        sum = black_box(&mut doubled).drain(..).fold(sum, |sum, n| sum.wrapping_add(n));
        next = end;
    }
    black_box(sum);
    Ok(())
}
