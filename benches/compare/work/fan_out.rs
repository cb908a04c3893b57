//! One producer and many consumers that sum up: each event to one of them.

use std::hint::black_box;

use anyhow::Result;
use genstage::prelude::pipeline;
use tokio::task::JoinSet;

use super::SIZES;
use super::crowd::Crowd;
use super::events::{Total, Value, batches, sum};
use super::handlers;
use super::stages::{Numbers, Source, Sum};
use crate::measure::{Case, run};
use crate::rivals::{Handler, Kameo, Ractor, Rival, Tokio, halves};

const WINDOW: usize = 100;

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let events = 4_000_000 / scale;
    let case = |consumers| Case {
        work: "fan-out by demand",
        window: WINDOW,
        consumers,
        events,
        ours: run(move || ours(events, consumers)),
        rivals: vec![
            ("tokio mpsc of batches, in turn", run(move || in_turn::<Tokio>(events, consumers))),
            ("tokio mpsc of events, in turn", run(move || one_by_one::<Tokio>(events, consumers))),
            ("flume of batches, one queue", run(move || one_queue(events, consumers))),
            ("ractor of batches, in turn, unbounded", run(move || in_turn::<Ractor>(events, consumers))),
            ("kameo of batches, in turn", run(move || in_turn::<Kameo>(events, consumers))),
            ("a loop over batches", run(move || in_a_loop(events))),
        ],
    };
    SIZES.map(case).into()
}

async fn ours(events: u64, consumers: usize) -> Result<u64> {
    let total = Total::default();
    let app = pipeline! {
        source = Source(Numbers::below(events));
        sum = Sum::new(&total), replicas: consumers;
        source => sum [max_demand: WINDOW];
    };
    app.run().await?;
    Ok(total.get())
}

async fn in_turn<R: Rival>(events: u64, consumers: usize) -> Result<u64> {
    let (batch, room) = halves(WINDOW);
    deal::<R, Vec<u64>>(batches(events, batch), consumers, room).await
}

async fn one_by_one<R: Rival>(events: u64, consumers: usize) -> Result<u64> {
    deal::<R, u64>(0..events, consumers, WINDOW).await
}

/// Sends each message to the next consumer.
async fn deal<R: Rival, T: Value>(
    messages: impl Iterator<Item = T>,
    consumers: usize,
    room: usize,
) -> Result<u64> {
    let crowd = Crowd::<R, T>::spawn(consumers, room).await?;
    for (turn, message) in messages.enumerate() {
        R::send(crowd.address(turn % consumers), message).await?;
    }
    crowd.total().await
}

/// A queue that has room for what would be on its way to all of the consumers, each of which takes what is next.
async fn one_queue(events: u64, consumers: usize) -> Result<u64> {
    let (batch, room) = halves(WINDOW);
    let (sender, queue) = flume::bounded::<Vec<u64>>(room * consumers);
    let total = Total::default();
    let mut tasks = JoinSet::new();
    for _ in 0..consumers {
        let (queue, mut sum) = (queue.clone(), handlers::Sum::new(&total));
        tasks.spawn(async move {
            while let Ok(batch) = queue.recv_async().await {
                sum.handle(batch).await?;
            }
            Handler::<Vec<u64>>::end(&mut sum);
            anyhow::Ok(())
        });
    }
    for batch in batches(events, batch) {
        sender.send_async(batch).await?;
    }
    drop(sender);
    tasks.join_all().await.into_iter().collect::<Result<()>>()?;
    Ok(total.get())
}

async fn in_a_loop(events: u64) -> Result<u64> {
    let (batch, _) = halves(WINDOW);
    Ok(batches::<u64>(events, batch).fold(0, |total, batch| total.wrapping_add(sum(black_box(&batch)))))
}
