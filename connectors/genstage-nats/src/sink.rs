use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::stream::RetentionPolicy;
use genstage::Error;
use genstage::prelude::*;
use genstage::remote::Delivered;
use serde::Serialize;
use tokio::time::sleep;

use crate::exchange::Routing;
use crate::hub::{Opened, subject};
use crate::message::{Outgoing, context, store};

/// How long to wait before the next look for subscribers.
const LOOK: Duration = Duration::from_millis(500);

/// How much smaller than the largest message one has to be: when it fails for good, its letter says more than it.
const ROOM: usize = 4096;

type Id<T> = Arc<dyn Fn(&T) -> String + Send + Sync>;

/// A consumer that puts events into an exchange; from [`Hub::sink`](crate::Hub::sink).
///
/// It has handled a batch when the server has confirmed all of it. While the server cannot take it, because the exchange is full, nobody has
/// subscribed to a broadcast, or there is no connection, it waits; so demand is withheld upstream, and nothing is lost. Events go in the order
/// in which they come, unless the server was full or away in between: what was refused then may follow what was not.
///
/// # Errors
///
/// The stage fails when an event cannot be encoded, and when the server says that it will never take a message: one that is too large.
#[stage(consumer)]
pub struct Sink<T: Send + 'static, R: Send + 'static> {
    inlet: Inlet<T, R>,
}

/// A consumer that puts events of another exchange into this one; from [`Hub::forward`](crate::Hub::forward).
///
/// It does as [`Sink`] does. An event is done with, to the exchange it has come from, when the server has confirmed that it is in this one: so
/// each goes from one exchange to the other at least once, and if it has an [id](Self::id) that is the same when it comes again, within the
/// [window](crate::Exchange::dedup_window) once.
///
/// # Errors
///
/// As [`Sink`].
#[stage(consumer)]
pub struct Forward<T: Send + 'static, R: Send + 'static> {
    inlet: Inlet<T, R>,
}

/// What puts events in.
struct Inlet<T, R> {
    exchange: Arc<Opened<R>>,
    context: jetstream::Context,
    id: Option<Id<T>>,
    has_subscribers: bool,
}

impl<T: Send + 'static, R: Send + 'static> Sink<T, R> {
    pub(crate) fn new(exchange: Arc<Opened<R>>) -> Self {
        Self { inlet: Inlet::new(exchange) }
    }

    /// What tells an event from every other: one that is put in once more within the exchange's
    /// [window](crate::Exchange::dedup_window), by whomever, is not stored again. Several events in one message are told by all their ids
    /// together. Without it, only what this sink itself repeats is known again.
    #[must_use]
    pub fn id<K: fmt::Display>(self, id: impl Fn(&T) -> K + Send + Sync + 'static) -> Self {
        Self { inlet: self.inlet.known_by(id) }
    }
}

impl<T: Send + 'static, R: Send + 'static> Forward<T, R> {
    pub(crate) fn new(exchange: Arc<Opened<R>>) -> Self {
        Self { inlet: Inlet::new(exchange) }
    }

    /// What tells an event from every other, as [`Sink::id`].
    #[must_use]
    pub fn id<K: fmt::Display>(self, id: impl Fn(&T) -> K + Send + Sync + 'static) -> Self {
        Self { inlet: self.inlet.known_by(id) }
    }
}

impl<T, R> Inlet<T, R> {
    fn new(exchange: Arc<Opened<R>>) -> Self {
        let context = context(exchange.client.clone());
        Self { exchange, context, id: None, has_subscribers: false }
    }

    fn known_by<K: fmt::Display>(mut self, id: impl Fn(&T) -> K + Send + Sync + 'static) -> Self {
        self.id = Some(Arc::new(move |event| id(event).to_string()));
        self
    }
}

impl<T: Serialize + Send + Sync + 'static, R: Routing<T>> Inlet<T, R> {
    async fn put(&mut self, events: impl Iterator<Item = &T> + Send) -> Result {
        let stored = match self.messages(events) {
            Ok(messages) => {
                self.wait_for_subscribers().await;
                store(&self.context, &self.exchange.name, messages).await
            }
            Err(error) => Err(error),
        };
        stored.map_err(|error| error.context(format!("putting events into `{}`", self.exchange.name)))
    }

    /// Messages of one partition each, in the order of their events.
    fn messages<'a>(&self, events: impl Iterator<Item = &'a T>) -> Result<Vec<Outgoing>> {
        let Opened { client, name, routing, terms, .. } = &*self.exchange;
        let mut parts: Vec<Vec<&T>> = vec![];
        parts.resize_with(routing.partitions().unwrap_or(1), Vec::new);
        for event in events {
            parts[routing.partition(event)].push(event);
        }
        let most = client.server_info().max_payload.saturating_sub(ROOM);
        let mut messages = vec![];
        for (number, part) in parts.iter().enumerate() {
            let subject = subject(name, routing.partitions().map(|_| number));
            for events in part.chunks(terms.pack) {
                self.pack(&subject, events, most, &mut messages)?;
            }
        }
        Ok(messages)
    }

    /// One message of these events; more, if it is too large.
    fn pack(&self, subject: &str, events: &[&T], most: usize, messages: &mut Vec<Outgoing>) -> Result {
        let (id, payload) = (self.id_of(events), self.exchange.codec.encode(events)?);
        let size = id.len() + payload.len();
        if size <= most {
            messages.push(Outgoing::new(subject.to_owned(), &id, payload));
        } else if events.len() <= 1 {
            return Err(Error::msg(format!("an event is {size} bytes, and the server takes {most}")));
        } else {
            let (first, second) = events.split_at(events.len() / 2);
            self.pack(subject, first, most, messages)?;
            self.pack(subject, second, most, messages)?;
        }
        Ok(())
    }

    fn id_of(&self, events: &[&T]) -> String {
        match &self.id {
            Some(id) => events.iter().map(|event| id(event)).collect::<Vec<_>>().join(","),
            None => self.exchange.client.new_inbox(),
        }
    }

    /// Waits until somebody has subscribed to a broadcast: before, it would go to nobody.
    async fn wait_for_subscribers(&mut self) {
        let Opened { context, name, .. } = &*self.exchange;
        while !self.has_subscribers && R::RETENTION == RetentionPolicy::Interest {
            // A server that does not answer now may do so soon.
            let stream = context.get_stream(name).await;
            self.has_subscribers = stream.is_ok_and(|stream| stream.cached_info().state.consumer_count > 0);
            if !self.has_subscribers {
                sleep(LOOK).await;
            }
        }
    }
}

impl<T: Serialize + Send + Sync + 'static, R: Routing<T>> Consumer for Sink<T, R> {
    type Event = T;

    async fn handle_events(&mut self, events: &mut Batch<T>, _: &mut Context<Self>) -> Result {
        self.inlet.put(events.take().iter()).await
    }
}

impl<T: Serialize + Send + Sync + 'static, R: Routing<T>> Consumer for Forward<T, R> {
    type Event = Delivered<T>;

    async fn handle_events(&mut self, events: &mut Batch<Delivered<T>>, _: &mut Context<Self>) -> Result {
        let events = events.take();
        self.inlet.put(events.iter().map(|event| &**event)).await?;
        events.into_iter().for_each(Delivered::done);
        Ok(())
    }
}

impl<T: Send + 'static, R: Send + 'static> fmt::Debug for Sink<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("exchange", &self.inlet.exchange.name).finish_non_exhaustive()
    }
}

impl<T: Send + 'static, R: Send + 'static> fmt::Debug for Forward<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward").field("exchange", &self.inlet.exchange.name).finish_non_exhaustive()
    }
}
