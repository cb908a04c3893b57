//! The same by loops over async-nats.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::context::{ContextBuilder, PublishAckFuture};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use futures_util::StreamExt;

use crate::work::{EXCHANGE, GROUP, exchange, filled, until_empty};

/// How many messages are asked for at a time: as many as by a source's consumer.
const BATCH: usize = 1000;

/// How many messages are on their way to the server at a time: as many as from a sink.
const IN_FLIGHT: usize = 256;

/// The durable of the group, as a source makes it.
async fn consumer(stream: &Stream) -> Result<PullConsumer> {
    let config = pull::Config {
        durable_name: Some(GROUP.to_owned()),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: -1,
        ..pull::Config::default()
    };
    Ok(stream.create_consumer(config).await?)
}

/// Deals with a message as a consumer of the source's events does.
async fn done(message: &Message) -> Result<()> {
    let [_]: [u64; 1] = serde_json::from_slice(&message.payload)?;
    message.ack().await.map_err(Error::from_boxed)
}

/// By the client's own stream of messages, which asks for more before all have come.
pub(crate) async fn stream(url: String, events: u64) -> Result<Duration> {
    let (_, mut stream) = filled(&url, events).await?;
    let clock = Instant::now();
    let consumer = consumer(&stream).await?;
    let mut messages =
        consumer.stream().max_messages_per_batch(BATCH).messages().await?.take(events as usize);
    while let Some(message) = messages.next().await {
        done(&message?).await?;
    }
    until_empty(&mut stream).await?;
    Ok(clock.elapsed())
}

/// One request after the other.
pub(crate) async fn batch(url: String, events: u64) -> Result<Duration> {
    let (_, mut stream) = filled(&url, events).await?;
    let clock = Instant::now();
    let consumer = consumer(&stream).await?;
    let mut left = events as usize;
    while left > 0 {
        let mut messages = consumer.batch().max_messages(BATCH.min(left)).messages().await?;
        while let Some(message) = messages.next().await {
            done(&message.map_err(Error::from_boxed)?).await?;
            left -= 1;
        }
    }
    until_empty(&mut stream).await?;
    Ok(clock.elapsed())
}

/// Puts numbers in, and waits for the word of each; with an id each, by which the server knows what is put in twice, or without.
pub(crate) async fn publish(url: String, events: u64, with_ids: bool) -> Result<Duration> {
    exchange(&url, 1).await?;
    let client = async_nats::connect(&url).await?;
    let context = ContextBuilder::new().max_ack_inflight(IN_FLIGHT).build(client.clone());
    let subject = format!("genstage.{EXCHANGE}");
    let clock = Instant::now();
    let mut unconfirmed: VecDeque<PublishAckFuture> = VecDeque::new();
    for number in 0..events {
        let mut message = PublishMessage::build().payload(serde_json::to_vec(&[number])?.into());
        if with_ids {
            message = message.message_id(client.new_inbox());
        }
        if unconfirmed.len() == IN_FLIGHT
            && let Some(oldest) = unconfirmed.pop_front()
        {
            oldest.await?;
        }
        unconfirmed.push_back(context.send_publish(subject.clone(), message).await?);
    }
    for message in unconfirmed {
        message.await?;
    }
    Ok(clock.elapsed())
}
