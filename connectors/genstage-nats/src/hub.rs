use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_nats::Client;
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind,
};
use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::{Config, DiscardPolicy};
use async_nats::jetstream::{Context, ErrorCode};
use genstage::Result;
use genstage::remote::from_remote;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::consumers::Consumers;
use crate::exchange::{Routing, Terms};
use crate::source::Session;
use crate::{Codec, Forward, Sink, Source};

/// An exchange that is open: what is put in by its [`sink`](Self::sink)s comes out of its [`source`](Self::source)s. Copies are the
/// same exchange.
pub struct Hub<T, R> {
    pub(crate) exchange: Arc<Opened<R>>,
    types: PhantomData<fn(T) -> T>,
}

pub(crate) struct Opened<R> {
    pub(crate) client: Client,
    pub(crate) context: Context,
    pub(crate) name: String,
    pub(crate) routing: R,
    pub(crate) terms: Terms,
    pub(crate) codec: Codec,
    /// Where it is stored who owns which partition, if there are any.
    pub(crate) owners: Option<Store>,
}

/// Why an exchange was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A name that cannot be part of a subject.
    #[error("`{0}` is no name of an exchange: letters, digits, `-` and `_` make one")]
    Name(String),
    /// There is something of that name already, or the server has not understood all that was asked of it.
    #[error(
        "`{name}` has {field} {got}, not {expected}: take another name, or remove it with `nats stream rm {name}`"
    )]
    Differs {
        /// The exchange's name.
        name: String,
        /// What differs.
        field: &'static str,
        /// What was asked for.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The server can do no exchanges.
    #[error("`{name}` was not opened: {reason}")]
    Unfit {
        /// The exchange's name.
        name: String,
        /// What it lacks, and the way out.
        reason: String,
    },
    /// The server refused, or did not answer.
    #[error("`{name}` was not opened: {error}")]
    Server {
        /// The exchange's name.
        name: String,
        /// Why.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The subject that events are put in under: one, or one for each partition.
pub(crate) fn subject(name: &str, partition: Option<usize>) -> String {
    match partition {
        Some(partition) => format!("genstage.{name}.{partition}"),
        None => format!("genstage.{name}"),
    }
}

pub(crate) fn subjects(name: &str, partitions: Option<usize>) -> Vec<String> {
    match partitions {
        Some(partitions) => (0..partitions).map(|partition| subject(name, Some(partition))).collect(),
        None => vec![subject(name, None)],
    }
}

/// The name of the stream to which goes what fails for good.
pub(crate) fn dead_letters(name: &str) -> String {
    format!("{name}-dead")
}

/// The name of the bucket in which it is stored who owns which partition.
fn owners_bucket(name: &str) -> String {
    format!("{name}-owners")
}

impl<T, R> Hub<T, R>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    R: Routing<T>,
{
    pub(crate) async fn open(
        client: Client,
        stream: Config,
        routing: R,
        terms: Terms,
        codec: Codec,
    ) -> Result<Self, OpenError> {
        let name = stream.name.clone();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if name.is_empty() || !name.chars().all(is_part) {
            return Err(OpenError::Name(name));
        }
        if let Some(reason) = unfit(&client, &terms) {
            return Err(OpenError::Unfit { name, reason });
        }
        let context = crate::message::context(client.clone());
        let dead = dead_letters(&name);
        let letters = beside(subject(&dead, None), dead, &terms);
        ensure(&context, stream).await?;
        ensure(&context, letters).await?;
        let owners = match routing.partitions() {
            Some(_) => Some(owners(&context, &name, &terms).await?),
            None => None,
        };
        let exchange = Opened { client, context, name, routing, terms, codec, owners };
        Ok(Self { exchange: Arc::new(exchange), types: PhantomData })
    }

    /// A consumer that puts in what it gets. It has handled a batch when the server has confirmed it.
    #[must_use]
    pub fn sink(&self) -> Sink<T, R> {
        Sink::new(self.exchange.clone())
    }

    /// A consumer that puts in what comes from another exchange. An event is done with there when the server has confirmed that it is
    /// here.
    #[must_use]
    pub fn forward(&self) -> Forward<T, R> {
        Forward::new(self.exchange.clone())
    }

    /// A producer of what was put in, for the group of that name: letters, digits, `-` and `_`. All sources of a group, on whatever
    /// machines, share its events.
    ///
    /// Its events are [`Delivered`](genstage::remote::Delivered), and have to be settled; see [`from_remote`] for how it ends.
    #[must_use]
    pub fn source(&self, group: &str) -> Source<T> {
        from_remote(self.session(group))
    }

    /// Removes a group, and what the server has kept for it: a subscriber to a broadcast that will not come again would have all events
    /// stored for it for ever. Its sources end with an error.
    ///
    /// # Errors
    ///
    /// If the server does not answer. Cancellation safe.
    pub async fn remove_group(&self, group: &str) -> Result {
        Consumers::of::<T, R>(&self.exchange, group).remove().await
    }

    /// Removes the exchange from the server, with all that is in it and its dead letters.
    ///
    /// # Errors
    ///
    /// If the server does not answer: then a part may be gone, and it may be removed again. Cancellation safe.
    pub async fn remove(&self) -> Result {
        let Opened { context, name, .. } = &*self.exchange;
        for stream in [name.clone(), dead_letters(name), format!("KV_{}", owners_bucket(name))] {
            match context.delete_stream(&stream).await {
                Ok(_) => {}
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What [`source`](Self::source) makes a stage of.
    #[must_use]
    pub fn session(&self, group: &str) -> Session<T> {
        Session::new(&self.exchange, group)
    }
}

impl<T, R> Hub<T, R> {
    /// The exchange's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.exchange.name
    }
}

impl<T, R> Clone for Hub<T, R> {
    fn clone(&self) -> Self {
        Self { exchange: self.exchange.clone(), types: PhantomData }
    }
}

impl<T, R> fmt::Debug for Hub<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("name", &self.exchange.name).finish_non_exhaustive()
    }
}

/// What has come of doing something with a stream that is not there.
pub(crate) fn is_missing(error: &GetStreamError) -> bool {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        _ => false,
    }
}

/// A stream beside that of an exchange, as safe as it.
fn beside(subject: String, name: String, terms: &Terms) -> Config {
    Config {
        name,
        subjects: vec![subject],
        num_replicas: terms.replicas,
        duplicate_window: terms.dedup_window,
        max_messages: -1,
        max_bytes: -1,
        ..Config::default()
    }
}

/// A bucket of JetStream's keys and values. It is made as a stream: the client's own way needs servers after 2.9.
async fn owners(context: &Context, exchange: &str, terms: &Terms) -> Result<Store, OpenError> {
    let bucket = owners_bucket(exchange);
    let stream = Config {
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        ..beside(format!("$KV.{bucket}.>"), format!("KV_{bucket}"), terms)
    };
    ensure(context, stream).await?;
    let store = context.get_key_value(bucket).await;
    store.map_err(|error| OpenError::Server { name: exchange.to_owned(), error: error.into() })
}

/// Why a server of this version cannot do such an exchange.
fn unfit(client: &Client, terms: &Terms) -> Option<String> {
    let version = client.server_info().version;
    if !client.is_server_compatible(2, 9, 0) {
        return Some(format!("the server is {version}, and 2.9 is the first that can do exchanges"));
    }
    // In a cluster they keep the id of what they have refused, and take it for known when it is put in again.
    let loses = terms.bound.is_some() && terms.replicas > 1 && !client.is_server_compatible(2, 12, 0);
    loses.then(|| {
        format!("the server is {version}, and before 2.12 one that is bounded and has replicas loses events: leave out one of the two")
    })
}

/// Makes a stream, or finds that there is one that is the same.
async fn ensure(context: &Context, wanted: Config) -> Result<(), OpenError> {
    let server = |error: Box<dyn std::error::Error + Send + Sync>| OpenError::Server {
        name: wanted.name.clone(),
        error,
    };
    let is_there = match context.create_stream(wanted.clone()).await {
        Ok(stream) => stream.cached_info().config.clone(),
        Err(error) if is_taken(&error) => {
            let stream = context.get_stream(&wanted.name).await.map_err(|error| server(error.into()))?;
            stream.cached_info().config.clone()
        }
        Err(error) if error.kind() == CreateStreamErrorKind::JetStreamUnavailable => {
            let reason = "the server has no JetStream: start it with `nats-server -js`".to_owned();
            return Err(OpenError::Unfit { name: wanted.name, reason });
        }
        Err(error) => return Err(server(error.into())),
    };
    same(&wanted, &is_there)
}

fn is_taken(error: &CreateStreamError) -> bool {
    match error.kind() {
        CreateStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NAME_EXIST,
        _ => false,
    }
}

/// Servers ignore what they do not know, so the answer is compared with the question.
fn same(wanted: &Config, is_there: &Config) -> Result<(), OpenError> {
    let compared = |config: &Config| {
        [
            ("the subjects", format!("{:?}", config.subjects)),
            ("the retention", format!("{:?}", config.retention)),
            ("the discard policy", format!("{:?}", config.discard)),
            ("a bound of messages of", config.max_messages.to_string()),
            ("a number of replicas of", config.num_replicas.to_string()),
            ("a deduplication window of", format!("{:?}", config.duplicate_window)),
        ]
    };
    match difference(compared(wanted), compared(is_there)) {
        None => Ok(()),
        Some((field, expected, got)) => {
            Err(OpenError::Differs { name: wanted.name.clone(), field, expected, got })
        }
    }
}

/// The first field that differs: its name, what was asked for, and what is there.
pub(crate) fn difference<const N: usize>(
    wanted: [(&'static str, String); N],
    got: [(&'static str, String); N],
) -> Option<(&'static str, String, String)> {
    let both = wanted.into_iter().zip(got);
    both.map(|((field, wanted), (_, got))| (field, wanted, got)).find(|(_, wanted, got)| wanted != got)
}
