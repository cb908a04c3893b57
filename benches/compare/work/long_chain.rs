//! A chain of 100 stages: numbers, to which 98 stages add one each, summed up.

use std::hint::black_box;

use anyhow::{Result, ensure};
use genstage::prelude::*;
use genstage::{Cancel, Reason, Subscribe};

use super::events::{Total, Value, batches, sum};
use super::handlers;
use super::stages::{AddOne, Numbers, Source, Sum};
use crate::measure::{Case, run};
use crate::rivals::{Flume, Handler, Kameo, Ractor, Rival, Tokio, halves};

const MIDDLE: usize = 98;
const WINDOW: usize = 100;

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let events = 200_000 / scale;
    vec![Case {
        work: "a chain of 100 stages",
        window: WINDOW,
        consumers: 1,
        events,
        ours: run(move || ours(events)),
        rivals: vec![
            ("tokio mpsc of batches", run(move || in_batches::<Tokio>(events))),
            ("tokio mpsc of events", run(move || one_by_one::<Tokio>(events))),
            ("flume of batches", run(move || in_batches::<Flume>(events))),
            ("ractor of batches, unbounded", run(move || in_batches::<Ractor>(events))),
            ("kameo of batches", run(move || in_batches::<Kameo>(events))),
            ("a loop over batches", run(move || in_a_loop(events))),
        ],
    }]
}

/// Wired at run time, as a chain whose length is a number has to be; from its end, so that every stage has its consumer
/// before it is asked for anything.
async fn ours(events: u64) -> Result<u64> {
    let total = Total::default();
    let edge = || Subscribe::new().max_demand(WINDOW).cancel(Cancel::Complete);
    let end = Sum::new(&total).spawn();
    let mut first = AddOne.spawn();
    end.subscribe(&first, edge()).await?;
    for _ in 1..MIDDLE {
        let before = AddOne.spawn();
        first.subscribe(&before, edge()).await?;
        first = before;
    }
    first.subscribe(&Source(Numbers::below(events)).spawn(), edge()).await?;
    drop(first);
    let reason = end.ended().await;
    ensure!(matches!(reason, Reason::Normal), "the chain has failed: {reason}");
    Ok(total.get())
}

async fn in_batches<R: Rival>(events: u64) -> Result<u64> {
    let (batch, room) = halves(WINDOW);
    send_through::<R, Vec<u64>>(batches(events, batch), room).await
}

async fn one_by_one<R: Rival>(events: u64) -> Result<u64> {
    send_through::<R, u64>(0..events, WINDOW).await
}

async fn send_through<R: Rival, T: Value>(messages: impl Iterator<Item = T>, room: usize) -> Result<u64>
where
    handlers::AddOne<R, T>: Handler<T>,
{
    let total = Total::default();
    let mut chain = vec![R::spawn(handlers::Sum::new(&total), room).await?];
    let mut first = chain[0].address.clone();
    for _ in 0..MIDDLE {
        chain.push(R::spawn(handlers::AddOne::<R, T>(first), room).await?);
        first = chain[chain.len() - 1].address.clone();
    }
    for message in messages {
        R::send(&first, message).await?;
    }
    drop(first);
    for actor in chain.into_iter().rev() {
        actor.close().await?;
    }
    Ok(total.get())
}

async fn in_a_loop(events: u64) -> Result<u64> {
    let (batch, _) = halves(WINDOW);
    let mut total = 0u64;
    for mut batch in batches::<u64>(events, batch) {
        for _ in 0..MIDDLE {
            black_box(&mut batch).iter_mut().for_each(|n| *n = n.wrapping_add(1));
        }
        total = total.wrapping_add(sum(&batch));
    }
    Ok(total)
}
