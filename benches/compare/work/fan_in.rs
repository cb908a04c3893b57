//! Many producers, and one consumer that sums up.

use std::hint::black_box;

use anyhow::Result;
use futures_util::StreamExt;
use futures_util::stream;
use genstage::prelude::pipeline;
use tokio::task::JoinSet;

use super::crowd::Crowd;
use super::events::{Total, Value, batches, sum};
use super::stages::{Numbers, Source, Sum};
use crate::measure::{Case, run};
use crate::rivals::{Flume, Kameo, Ractor, Rival, Tokio, halves};

const PRODUCERS: usize = 64;
const WINDOW: usize = 100;

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    // Of each producer.
    let events = 64_000 / scale;
    vec![Case {
        work: "fan-in of 64 producers",
        window: WINDOW,
        consumers: 1,
        events: events * PRODUCERS as u64,
        ours: run(move || ours(events)),
        rivals: vec![
            ("tokio mpsc of batches", run(move || in_batches::<Tokio>(events))),
            ("tokio mpsc of events", run(move || one_by_one::<Tokio>(events))),
            ("flume of batches", run(move || in_batches::<Flume>(events))),
            ("futures streams of batches", run(move || streams(events))),
            ("ractor of batches, unbounded", run(move || in_batches::<Ractor>(events))),
            ("kameo of batches", run(move || in_batches::<Kameo>(events))),
            ("a loop over batches", run(move || in_a_loop(events))),
        ],
    }]
}

async fn ours(events: u64) -> Result<u64> {
    let total = Total::default();
    let app = pipeline! {
        source = Source(Numbers::below(events)), replicas: PRODUCERS;
        sum = Sum::new(&total);
        source => sum [max_demand: WINDOW];
    };
    app.run().await?;
    Ok(total.get())
}

async fn in_batches<R: Rival>(events: u64) -> Result<u64> {
    let (batch, room) = halves(WINDOW);
    send_from_all::<R, _>(move || batches::<u64>(events, batch), room).await
}

async fn one_by_one<R: Rival>(events: u64) -> Result<u64> {
    send_from_all::<R, _>(move || 0..events, WINDOW).await
}

/// One mailbox, with the room that all producers would have together.
async fn send_from_all<R: Rival, M>(messages: impl Fn() -> M, room: usize) -> Result<u64>
where
    M: Iterator<Item: Value> + Send + 'static,
{
    let crowd = Crowd::<R, M::Item>::spawn(1, room * PRODUCERS).await?;
    let mut producers = JoinSet::new();
    for to in std::iter::repeat_n(crowd.address(0).clone(), PRODUCERS) {
        let messages = messages();
        producers.spawn(async move {
            for message in messages {
                R::send(&to, message).await?;
            }
            anyhow::Ok(())
        });
    }
    producers.join_all().await.into_iter().collect::<Result<()>>()?;
    crowd.total().await
}

async fn streams(events: u64) -> Result<u64> {
    let (batch, _) = halves(WINDOW);
    let producers = (0..PRODUCERS).map(|_| stream::iter(batches::<u64>(events, batch)));
    Ok(stream::select_all(producers)
        .fold(0u64, |total, batch| async move { total.wrapping_add(sum(&batch)) })
        .await)
}

async fn in_a_loop(events: u64) -> Result<u64> {
    let (batch, _) = halves(WINDOW);
    let all = (0..PRODUCERS).flat_map(|_| batches::<u64>(events, batch));
    Ok(all.fold(0, |total, batch| total.wrapping_add(sum(&black_box(batch)))))
}
