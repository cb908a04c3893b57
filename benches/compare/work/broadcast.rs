//! One producer and many consumers that sum up: every event to each of them.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::Result;
use genstage::prelude::pipeline;

use super::SIZES;
use super::crowd::Crowd;
use super::events::{Payload, Total, Value, batches, sum};
use super::stages::{Broadcast, Numbers, Sum};
use crate::measure::{Case, run};
use crate::rivals::{Flume, Kameo, Ractor, Rival, Tokio, halves};

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let numbers = SIZES.map(|consumers| case::<u64>("broadcast of u64", 100, consumers, 4_000_000 / scale));
    // A smaller window: this many events are on their way to every consumer.
    let payloads =
        SIZES.map(|consumers| case::<Payload>("broadcast of 1 KB", 10, consumers, 200_000 / scale));
    numbers.into_iter().chain(payloads).collect()
}

/// Handled are so many events in all, whatever the number of consumers.
fn case<V: Event>(work: &'static str, window: usize, consumers: usize, handled: u64) -> Case {
    let events = handled / consumers as u64;
    Case {
        work,
        window,
        consumers,
        events: events * consumers as u64,
        ours: run(move || ours::<V>(events, window, consumers)),
        rivals: vec![
            ("tokio mpsc of batches", run(move || cloned::<Tokio, V>(events, window, consumers))),
            ("tokio mpsc of shared batches", run(move || shared::<Tokio, V>(events, window, consumers))),
            ("tokio mpsc of events", run(move || one_by_one::<Tokio, V>(events, window, consumers))),
            ("flume of batches", run(move || cloned::<Flume, V>(events, window, consumers))),
            ("ractor of batches, unbounded", run(move || cloned::<Ractor, V>(events, window, consumers))),
            ("kameo of batches", run(move || cloned::<Kameo, V>(events, window, consumers))),
            ("a loop over batches", run(move || in_a_loop::<V>(events, window, consumers))),
        ],
    }
}

/// What can be broadcast.
trait Event: Value + Clone + Sync + From<u64> {}

impl<V: Value + Clone + Sync + From<u64>> Event for V {}

async fn ours<V: Event>(events: u64, window: usize, consumers: usize) -> Result<u64> {
    let total = Total::default();
    let app = pipeline! {
        source = Broadcast::<V>::new(Numbers::below(events));
        sum = Sum::new(&total), replicas: consumers;
        source => sum [max_demand: window];
    };
    app.run().await?;
    Ok(total.get())
}

async fn cloned<R: Rival, V: Event>(events: u64, window: usize, consumers: usize) -> Result<u64> {
    let (batch, room) = halves(window);
    send_to_all::<R, Vec<V>>(batches(events, batch), consumers, room).await
}

/// Consumers that only read can share one batch; what they get is not their own then.
async fn shared<R: Rival, V: Event>(events: u64, window: usize, consumers: usize) -> Result<u64> {
    let (batch, room) = halves(window);
    send_to_all::<R, Arc<Vec<V>>>(batches(events, batch).map(Arc::new), consumers, room).await
}

async fn one_by_one<R: Rival, V: Event>(events: u64, window: usize, consumers: usize) -> Result<u64> {
    send_to_all::<R, V>((0..events).map(V::from), consumers, window).await
}

/// Sends each message to all consumers; the last needs no copy.
async fn send_to_all<R: Rival, T: Value + Clone>(
    messages: impl Iterator<Item = T>,
    consumers: usize,
    room: usize,
) -> Result<u64> {
    let crowd = Crowd::<R, T>::spawn(consumers, room).await?;
    for message in messages {
        for consumer in 1..consumers {
            R::send(crowd.address(consumer), message.clone()).await?;
        }
        R::send(crowd.address(0), message).await?;
    }
    crowd.total().await
}

async fn in_a_loop<V: Event>(events: u64, window: usize, consumers: usize) -> Result<u64> {
    let (batch, _) = halves(window);
    let mut total = 0u64;
    for batch in batches::<V>(events, batch) {
        for _ in 1..consumers {
            total = total.wrapping_add(sum(&black_box(batch.clone())));
        }
        total = total.wrapping_add(sum(&black_box(batch)));
    }
    Ok(total)
}
