use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use genstage::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Codec;
use crate::hub::{self, Hub, OpenError};

/// What an exchange is to be; from [`Nats::exchange`](crate::Nats::exchange), to be [`open`](Self::open)ed.
#[derive(Clone)]
#[must_use = "an exchange does nothing unless it is opened"]
pub struct Exchange<R> {
    client: Client,
    name: String,
    routing: R,
    terms: Terms,
}

/// What holds for an exchange whatever its kind.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) bound: Option<u64>,
    pub(crate) replicas: usize,
    pub(crate) dedup_window: Duration,
    pub(crate) pack: usize,
    pub(crate) ack_wait: Duration,
    pub(crate) max_deliver: u64,
    pub(crate) redeliver_after: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            bound: None,
            replicas: 1,
            dedup_window: Duration::from_secs(120),
            pack: 1,
            ack_wait: Duration::from_secs(30),
            max_deliver: 5,
            redeliver_after: Duration::from_secs(1),
        }
    }
}

/// Who gets which event.
pub trait Routing<T>: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    const RETENTION: RetentionPolicy;

    /// The number of partitions; none if there are no partitions.
    #[doc(hidden)]
    fn partitions(&self) -> Option<usize> {
        None
    }

    /// The partition of an event.
    #[doc(hidden)]
    fn partition(&self, event: &T) -> usize {
        let _ = event;
        0
    }
}

/// Each event goes to one of those who ask, as by genstage's demand dispatcher; from [`Exchange::demand`].
#[derive(Clone, Copy, Debug)]
pub struct Shared;

/// Each event goes to every subscriber, as by genstage's broadcast dispatcher; from [`Exchange::broadcast`].
#[derive(Clone, Copy, Debug)]
pub struct Everyone;

/// Each event goes to the owner of its partition; from [`Exchange::partition`].
pub struct ByKey<T> {
    partitions: usize,
    partition_of: Arc<dyn Fn(&T) -> usize + Send + Sync>,
}

impl<T> Routing<T> for Shared {
    const RETENTION: RetentionPolicy = RetentionPolicy::WorkQueue;
}

impl<T> Routing<T> for Everyone {
    const RETENTION: RetentionPolicy = RetentionPolicy::Interest;
}

impl<T: 'static> Routing<T> for ByKey<T> {
    const RETENTION: RetentionPolicy = RetentionPolicy::WorkQueue;

    fn partitions(&self) -> Option<usize> {
        Some(self.partitions)
    }

    fn partition(&self, event: &T) -> usize {
        (self.partition_of)(event)
    }
}

impl<T> Clone for ByKey<T> {
    fn clone(&self) -> Self {
        Self { partitions: self.partitions, partition_of: self.partition_of.clone() }
    }
}

impl<T> fmt::Debug for ByKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByKey").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

/// The hash by which a NATS server partitions subjects itself: FNV-1a of 32 bits.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

impl Exchange<Shared> {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.to_owned(), routing: Shared, terms: Terms::default() }
    }

    /// Each event goes to one of those who ask. All of them are of one group, whose name the first one chooses. The default.
    pub fn demand(self) -> Self {
        self
    }

    /// Each event goes to every subscriber there is when it is put in; each has a name, and those of one name share its events. While there
    /// is none, nothing is put in.
    pub fn broadcast(self) -> Exchange<Everyone> {
        self.routed(Everyone)
    }

    /// Each event goes to the owner of its partition, of which there are so many (at least 1): by the hash of its key as text,
    /// the same as the server's own partitions.
    pub fn partition<T, K: fmt::Display>(
        self,
        partitions: usize,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
    ) -> Exchange<ByKey<T>> {
        let partitions = partitions.max(1);
        let partition_of = move |event: &T| fnv1a(key(event).to_string().as_bytes()) as usize % partitions;
        self.routed(ByKey { partitions, partition_of: Arc::new(partition_of) })
    }

    fn routed<R>(self, routing: R) -> Exchange<R> {
        let Self { client, name, terms, .. } = self;
        Exchange { client, name, routing, terms }
    }
}

impl<R> Exchange<R> {
    /// At most so many messages are stored (without a bound if it is not stated). While there are as many, sinks wait, and their producers
    /// are asked for nothing. Together with [`replicas`](Self::replicas) it needs servers of 2.12 or newer.
    pub fn bounded(mut self, messages: u64) -> Self {
        self.terms.bound = Some(messages);
        self
    }

    /// So many servers of a cluster store each message: 1, 3 or 5; 1 if it is not stated.
    pub fn replicas(mut self, servers: usize) -> Self {
        self.terms.replicas = servers;
        self
    }

    /// For how long (at least a millisecond) the server knows the ids of what was put in, to tell what is put in twice; two minutes if it is
    /// not stated.
    pub fn dedup_window(mut self, window: Duration) -> Self {
        self.terms.dedup_window = window.max(Duration::from_millis(1));
        self
    }

    /// At most so many events (at least 1) go in one message, fewer if it would be too large; 1 if it is not stated. They are settled
    /// together.
    pub fn pack(mut self, events: usize) -> Self {
        self.terms.pack = events.max(1);
        self
    }

    /// For how long the server waits for word of what it has handed out, before it hands it out again; 30 seconds if it is not stated. What
    /// takes longer says so by [`in_progress`](genstage::remote::Delivered::in_progress).
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.terms.ack_wait = wait;
        self
    }

    /// How often a message is handed out, at least once, before it goes to the exchange's dead letters: 5 times if it is not stated.
    pub fn max_deliver(mut self, times: u64) -> Self {
        self.terms.max_deliver = times.max(1);
        self
    }

    /// How long what has failed waits until it is handed out again; a second if it is not stated.
    pub fn redeliver_after(mut self, wait: Duration) -> Self {
        self.terms.redeliver_after = wait;
        self
    }

    /// Makes the exchange, if there is none of that name, and opens it for events of that type.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the name makes no sense, if there is an exchange of that name with other terms, or if the server does not do what is
    /// asked of it. Cancellation safe.
    pub async fn open<T>(self, codec: Codec) -> Result<Hub<T, R>, OpenError>
    where
        R: Routing<T>,
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let Self { client, name, routing, terms } = self;
        let stream = Config {
            subjects: hub::subjects(&name, routing.partitions()),
            name,
            retention: R::RETENTION,
            discard: DiscardPolicy::New,
            max_messages: terms.bound.map_or(-1, |bound| i64::try_from(bound).unwrap_or(i64::MAX)),
            max_bytes: -1,
            num_replicas: terms.replicas,
            duplicate_window: terms.dedup_window,
            ..Config::default()
        };
        Hub::open(client, stream, routing, terms, codec).await
    }
}

impl<R: fmt::Debug> fmt::Debug for Exchange<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, routing, terms, .. } = self;
        f.debug_struct("Exchange")
            .field("name", name)
            .field("routing", routing)
            .field("terms", terms)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::fnv1a;

    /// Values of the hash that everybody publishes.
    #[test]
    fn the_hash_is_the_servers() {
        assert_eq!(fnv1a(b""), 0x811c_9dc5);
        assert_eq!(fnv1a(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a(b"foobar"), 0xbf9c_f968);
    }
}
