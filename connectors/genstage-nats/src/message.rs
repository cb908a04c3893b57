//! Messages on their way into a stream.

use std::collections::VecDeque;
use std::error::Error as _;
use std::mem;
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use genstage::{Error, Result};
use tokio::time::sleep;
use tracing::warn;

use crate::hub::is_missing;

/// Between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// How many messages are on their way to the server at a time.
const IN_FLIGHT: usize = 256;

/// A message to be stored.
pub(crate) struct Outgoing {
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

impl Outgoing {
    /// A message of that id.
    pub(crate) fn new(subject: String, id: &str, payload: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, id);
        Self { subject, headers, payload: payload.into() }
    }

    fn publish(&self) -> PublishMessage {
        PublishMessage::build().headers(self.headers.clone()).payload(self.payload.clone())
    }
}

/// What messages are stored by. (Each sink has one for itself: the client counts what is in flight for all who share one, and lets
/// them wait for each other.)
pub(crate) fn context(client: Client) -> Context {
    ContextBuilder::new().max_ack_inflight(IN_FLIGHT).backpressure_on_inflight(true).build(client)
}

/// Has messages stored, in order, each again and again until the server has confirmed it: by the id it knows what it has already.
///
/// # Errors
///
/// If the server will never take one of them: because it is too large, for instance, or because there is no such stream any more.
pub(crate) async fn store(context: &Context, stream: &str, messages: Vec<Outgoing>) -> Result {
    let (mut pause, longest) = PAUSES;
    // Those that were sent are waited for at the same time: where the server is away, each takes its time.
    let (mut queue, mut sent, mut again) = (VecDeque::from(messages), FuturesOrdered::new(), VecDeque::new());
    loop {
        // What was refused goes before anything new.
        while again.is_empty()
            && sent.len() < IN_FLIGHT
            && let Some(message) = queue.pop_front()
        {
            match context.send_publish(message.subject.clone(), message.publish()).await {
                Ok(confirmed) => sent.push_back(async { (message, confirmed.await) }),
                Err(error) => again.push_back(repeated(message, error, pause >= longest)?),
            }
        }
        match sent.next().await {
            // Of a cluster: it has come before, and nobody knows yet whether it will be stored.
            Some((message, Ok(known))) if known.duplicate && known.sequence == 0 => again.push_back(message),
            Some((_, Ok(_))) => pause = PAUSES.0,
            Some((message, Err(error))) => again.push_back(repeated(message, error, pause >= longest)?),
            None if again.is_empty() => return Ok(()),
            None => {
                if context.get_stream(stream).await.is_err_and(|error| is_missing(&error)) {
                    return Err(Error::msg(format!("there is no stream `{stream}` any more")));
                }
                sleep(pause).await;
                pause = longest.min(pause * 2);
                again.append(&mut queue);
                mem::swap(&mut queue, &mut again);
            }
        }
    }
}

/// The message, if it may be stored another time.
fn repeated(message: Outgoing, error: PublishError, warns: bool) -> Result<Outgoing> {
    let refused = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
    let is_for_ever = match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => true,
        _ => refused.is_some_and(|refused| {
            let may_pass = [ErrorCode::STREAM_STORE_FAILED, ErrorCode::ACCOUNT_RESOURCES_EXCEEDED];
            refused.code() == 400 && !may_pass.contains(&refused.error_code())
        }),
    };
    if is_for_ever {
        return Err(Error::new(error).context(format!("a message of {} bytes", message.payload.len())));
    }
    if warns {
        warn!(subject = message.subject, %error, "a message waits to be stored");
    }
    Ok(message)
}
