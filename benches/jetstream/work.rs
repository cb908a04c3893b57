//! What is measured: each work by genstage, and its rivals.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_nats::jetstream::{self, stream::Stream};
use genstage::prelude::*;
use genstage::remote::Delivered;
use genstage_nats::{Codec, Hub, Nats, Shared};
use tokio::sync::oneshot;

use crate::measure::{Case, run};
use crate::plain;

/// The exchange of all works, and the group that takes from it.
pub(crate) const EXCHANGE: &str = "numbers";
pub(crate) const GROUP: &str = "group";

/// All works, with so many times fewer events than usual.
pub(crate) fn all(scale: u64) -> Vec<Case> {
    let events = 100_000 / scale;
    vec![
        Case {
            work: "consuming",
            events,
            ours: run(consume),
            rivals: vec![
                ("a stream of messages", run(plain::stream)),
                ("batch after batch", run(plain::batch)),
            ],
        },
        Case {
            work: "producing",
            events,
            ours: run(produce),
            rivals: vec![
                ("publishes", run(|url, events| plain::publish(url, events, false))),
                ("publishes with ids", run(|url, events| plain::publish(url, events, true))),
            ],
        },
        Case {
            work: "both, 100 events a message",
            events,
            ours: run(|url, events| put_and_taken(url, events, 100)),
            rivals: vec![("genstage, 1 event a message", run(|url, events| put_and_taken(url, events, 1)))],
        },
    ]
}

pub(crate) async fn exchange(url: &str, pack: usize) -> Result<Hub<u64, Shared>> {
    let nats = Nats::connect(url).await?;
    Ok(nats.exchange(EXCHANGE).pack(pack).open(Codec::Json).await?)
}

/// An exchange with so many numbers in it, and the stream that it is.
pub(crate) async fn filled(url: &str, events: u64) -> Result<(Hub<u64, Shared>, Stream)> {
    let hub = exchange(url, 1).await?;
    put(&hub, events).await?;
    Ok((hub, stream(url).await?))
}

async fn stream(url: &str) -> Result<Stream> {
    let context = jetstream::new(async_nats::connect(url).await?);
    Ok(context.get_stream(EXCHANGE).await?)
}

/// Waits until the server knows that all is done with: then it has removed it.
pub(crate) async fn until_empty(stream: &mut Stream) -> Result<()> {
    while stream.info().await?.state.messages > 0 {}
    Ok(())
}

async fn put(hub: &Hub<u64, Shared>, events: u64) -> Result<()> {
    let sink = hub.sink();
    pipeline! { sink = sink; from_iter(0..events) => sink; }.run().await?;
    Ok(())
}

/// Takes so many events, and is done with them.
async fn take(hub: &Hub<u64, Shared>, events: u64, stream: &mut Stream) -> Result<()> {
    let (sender, taken) = oneshot::channel();
    let (mut left, mut sender) = (events, Some(sender));
    let source = hub.source(GROUP);
    let _running = pipeline! {
        source = source;
        source => for_each(move |event: Delivered<u64>| {
            event.done();
            left -= 1;
            if left == 0 {
                sender.take().map(|sender| sender.send(()));
            }
        });
    }
    .start()?;
    taken.await.context("the source has ended")?;
    until_empty(stream).await
}

async fn consume(url: String, events: u64) -> Result<Duration> {
    let (hub, mut stream) = filled(&url, events).await?;
    let clock = Instant::now();
    take(&hub, events, &mut stream).await?;
    Ok(clock.elapsed())
}

async fn produce(url: String, events: u64) -> Result<Duration> {
    let hub = exchange(&url, 1).await?;
    let clock = Instant::now();
    put(&hub, events).await?;
    Ok(clock.elapsed())
}

/// Both at the same time.
async fn put_and_taken(url: String, events: u64, pack: usize) -> Result<Duration> {
    let hub = exchange(&url, pack).await?;
    let mut stream = stream(&url).await?;
    let clock = Instant::now();
    tokio::try_join!(put(&hub, events), take(&hub, events, &mut stream))?;
    Ok(clock.elapsed())
}
