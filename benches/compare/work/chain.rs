//! A -> B -> C: numbers, doubled, summed up.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use genstage::Pipeline;
use genstage::prelude::pipeline;
use tokio::time::interval;

use super::events::{Total, batches, sum};
use super::handlers;
use super::stages::{Double, Numbers, Source, Sum};
use crate::measure::{Case, run};
use crate::rivals::{Flume, Handler, Kameo, Ractor, Rival, Tokio, halves};

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
                ("tokio mpsc of batches", run(move || in_batches::<Tokio>(events, window))),
                ("tokio mpsc of batches, no more in flight", run(move || in_strict_batches(events, window))),
                ("tokio mpsc of events", run(move || one_by_one::<Tokio>(events, window))),
                ("flume of batches", run(move || in_batches::<Flume>(events, window))),
                ("futures streams", run(move || streams(events, window))),
                ("ractor of batches, unbounded", run(move || in_batches::<Ractor>(events, window))),
                ("kameo of batches", run(move || in_batches::<Kameo>(events, window))),
                ("a loop over batches", run(move || in_a_loop(events, window))),
            ],
        }
    };
    let watched = |(window, events): (usize, u64)| {
        let events = events / scale;
        Case {
            work: "A -> B -> C, watched",
            window,
            consumers: 1,
            events,
            ours: run(move || watched(events, window)),
            rivals: vec![("the same, not watched", run(move || ours(events, window)))],
        }
    };
    let cases = [(1000, 4_000_000), (100, 2_000_000), (10, 1_000_000), (1, 200_000)].map(case);
    cases.into_iter().chain([(100, 2_000_000), (10, 1_000_000)].map(watched)).collect()
}

fn pipeline(events: u64, window: usize, total: &Total) -> Pipeline {
    let app = pipeline! {
        source = Source(Numbers::below(events));
        double = Double;
        sum = Sum::new(total);
        source => double [max_demand: window] => sum [max_demand: window];
    };
    app.into_parts().0
}

async fn ours(events: u64, window: usize) -> Result<u64> {
    let total = Total::default();
    pipeline(events, window, &total).run().await?;
    Ok(total.get())
}

/// With somebody who looks a hundred times a second.
async fn watched(events: u64, window: usize) -> Result<u64> {
    let total = Total::default();
    let running = pipeline(events, window, &total).start()?;
    let watch = running.watch();
    let looking = tokio::spawn(async move {
        let mut looks = interval(Duration::from_millis(10));
        loop {
            looks.tick().await;
            black_box(watch.snapshot());
        }
    });
    running.join().await?;
    looking.abort();
    Ok(total.get())
}

/// As many events between two stages as genstage has, and no more: of the window, one half is with the handler.
async fn in_strict_batches(events: u64, window: usize) -> Result<u64> {
    let (batch, room) = halves(window);
    send_through::<Tokio, _>(batches::<u64>(events, batch), (room - 1).max(1)).await
}

async fn in_batches<R: Rival>(events: u64, window: usize) -> Result<u64> {
    let (batch, room) = halves(window);
    send_through::<R, _>(batches::<u64>(events, batch), room).await
}

async fn one_by_one<R: Rival>(events: u64, window: usize) -> Result<u64> {
    send_through::<R, _>(0..events, window).await
}

/// Sends the messages to somebody who doubles, and sends them on to somebody who sums up.
async fn send_through<R: Rival, T>(messages: impl Iterator<Item = T>, room: usize) -> Result<u64>
where
    T: Send + 'static,
    handlers::Sum: Handler<T>,
    handlers::Double<R, T>: Handler<T>,
{
    let total = Total::default();
    let sum = R::spawn(handlers::Sum::new(&total), room).await?;
    let double = R::spawn(handlers::Double::<R, T>(sum.address.clone()), room).await?;
    for message in messages {
        R::send(&double.address, message).await?;
    }
    double.close().await?;
    sum.close().await?;
    Ok(total.get())
}

async fn streams(events: u64, window: usize) -> Result<u64> {
    let doubled = stream::iter(0..events).map(|n| async move { n.wrapping_mul(2) }).buffered(window);
    Ok(doubled.fold(0u64, |sum, n| async move { sum.wrapping_add(n) }).await)
}

/// What no scheduler costs: the limit.
async fn in_a_loop(events: u64, window: usize) -> Result<u64> {
    let (batch, _) = halves(window);
    let (mut next, mut total, mut numbers, mut doubled) = (0, 0u64, vec![], vec![]);
    while next < events {
        let end = events.min(next + batch as u64);
        numbers.extend(next..end);
        doubled.extend(black_box(&mut numbers).drain(..).map(|n: u64| n.wrapping_mul(2)));
        total = total.wrapping_add(sum(black_box(&doubled)));
        doubled.clear();
        next = end;
    }
    Ok(total)
}
