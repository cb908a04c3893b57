use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, Config, Consumer, DeliverPolicy, IntoConsumerConfig, pull};
use async_nats::jetstream::stream::RetentionPolicy;
use async_nats::jetstream::{AckKind, Context};
use async_nats::{Client, Message};
use genstage::remote::{Delivery, FromRemote, Outcome, Remote, Settled};
use genstage::{Error, Result};
use serde::de::DeserializeOwned;

use crate::Codec;
use crate::exchange::{Routing, Terms};
use crate::hub::{Opened, dead_letters, difference, subject};
use crate::message::{Outgoing, store};
use crate::pulls::Pulls;

/// A producer of what was put into an exchange; from [`Hub::source`](crate::Hub::source).
pub type Source<T> = FromRemote<Session<T>>;

/// One source's dealings with the server.
pub struct Session<T> {
    client: Client,
    context: Context,
    exchange: String,
    group: String,
    partition: Option<usize>,
    retention: RetentionPolicy,
    terms: Terms,
    codec: Codec,
    pulls: Option<Pulls>,
    stopped: bool,
    /// What is to go to the dead letters, and why.
    dead: Vec<(Receipt, String)>,
    types: PhantomData<fn() -> T>,
}

/// Names a delivery to the server.
#[derive(Clone, Debug)]
pub struct Receipt(Arc<Message>);

impl<T> Session<T> {
    pub(crate) fn new<R: Routing<T>>(exchange: &Opened<R>, group: &str, partition: Option<usize>) -> Self {
        let Opened { client, context, name, terms, codec, .. } = exchange;
        Self {
            client: client.clone(),
            context: context.clone(),
            exchange: name.clone(),
            group: group.to_owned(),
            partition,
            retention: R::RETENTION,
            terms: terms.clone(),
            codec: *codec,
            pulls: None,
            stopped: false,
            dead: vec![],
            types: PhantomData,
        }
    }

    /// The consumer that the server keeps account for: of the group, or of its partition.
    async fn consumer(&self) -> Result<String> {
        let Self { exchange, group, partition, terms, .. } = self;
        let durable = partition.map_or_else(|| group.clone(), |partition| format!("{group}-{partition}"));
        let wanted = pull::Config {
            durable_name: Some(durable.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: terms.ack_wait,
            // Counted here, and bounded by demand.
            max_deliver: -1,
            max_ack_pending: -1,
            // Who subscribes to a broadcast has what comes from now on; what is shared is there for whoever comes.
            deliver_policy: match self.retention {
                RetentionPolicy::Interest => DeliverPolicy::New,
                _ => DeliverPolicy::All,
            },
            filter_subject: partition
                .map_or_else(String::new, |partition| subject(exchange, Some(partition))),
            ..pull::Config::default()
        };
        let stream = self.context.get_stream(exchange).await?;
        let made = stream.create_consumer(wanted.clone()).await;
        let made: Consumer<pull::Config> = made.map_err(|error| {
            Error::new(error).context(format!("joining the group `{group}` of `{exchange}`"))
        })?;
        let compared = |config: &Config| {
            [
                ("acknowledgements", format!("{:?}", config.ack_policy)),
                ("an ack wait", format!("{:?}", config.ack_wait)),
                ("a filter", config.filter_subject.clone()),
                ("a limit of deliveries", config.max_deliver.to_string()),
            ]
        };
        match difference(compared(&wanted.into_consumer_config()), compared(&made.cached_info().config)) {
            None => Ok(durable),
            Some((field, wanted, got)) => {
                let message =
                    format!("the group `{group}` of `{exchange}` has {field} of {got}, not {wanted}");
                Err(Error::msg(message))
            }
        }
    }

    fn pulls(&mut self) -> Result<&mut Pulls> {
        self.pulls.as_mut().ok_or_else(|| Error::msg("the source has not begun"))
    }

    /// Tells the server. Of a source that ends it waits until the server has heard it: then all is said that is to be said.
    async fn answer(&self, receipt: &Receipt, kind: AckKind) -> Result {
        let Some(reply) = receipt.0.reply.clone() else { return Ok(()) };
        match self.stopped {
            false => self.client.publish(reply, kind.into()).await?,
            // A server that does not answer hands it out again.
            true => drop(self.client.request(reply, kind.into()).await),
        }
        Ok(())
    }

    /// Puts a message to the dead letters, and out of the way.
    async fn bury(&self, receipt: &Receipt, cause: &str) -> Result {
        let (stream, sequence, delivered) = receipt.about();
        let letters = dead_letters(&self.exchange);
        let id = format!("{stream}:{sequence}");
        let mut letter = Outgoing::new(subject(&letters, None), &id, receipt.0.payload.to_vec());
        for (name, value) in [
            ("Genstage-Cause", cause.replace(['\r', '\n'], " ")),
            ("Genstage-Group", self.group.clone()),
            ("Genstage-Subject", receipt.0.subject.to_string()),
            ("Genstage-Delivered", delivered.to_string()),
        ] {
            letter.headers.insert(name, value.as_str());
        }
        store(&self.context, vec![letter]).await?;
        self.answer(receipt, AckKind::Ack).await
    }

    /// Buries what is to be. Cancellation safe: a letter that is put twice is known by its id.
    async fn bury_the_dead(&mut self) -> Result {
        while let Some((receipt, cause)) = self.dead.last() {
            self.bury(receipt, cause).await?;
            self.dead.pop();
        }
        Ok(())
    }
}

impl Receipt {
    /// The stream, the message's number in it, and how often it has been delivered.
    fn about(&self) -> (&str, u64, u64) {
        let tokens: Vec<&str> = self.0.reply.as_deref().unwrap_or_default().split('.').collect();
        // `$JS.ACK.stream.consumer.delivered.sequence.…`, with a domain and an account before the stream from another version on.
        let stream = if tokens.len() > 9 { 4 } else { 2 };
        let token = |index: usize| tokens.get(stream + index).copied().unwrap_or_default();
        (token(0), token(3).parse().unwrap_or(0), token(2).parse().unwrap_or(1))
    }
}

impl<T: DeserializeOwned + Send + 'static> Remote for Session<T> {
    type Event = T;
    type Receipt = Receipt;

    async fn open(&mut self) -> Result {
        let consumer = self.consumer().await?;
        self.pulls = Some(Pulls::new(self.client.clone(), &self.exchange, &consumer).await?);
        Ok(())
    }

    async fn request(&mut self, events: usize) -> Result {
        let messages = events.div_ceil(self.terms.pack);
        self.pulls()?.request(messages).await
    }

    async fn receive(&mut self) -> Result<Option<Delivery<T, Receipt>>> {
        loop {
            self.bury_the_dead().await?;
            let Some(message) = self.pulls()?.next().await? else { return Ok(None) };
            let receipt = Receipt(Arc::new(message));
            let (.., delivered) = receipt.about();
            let events = match self.codec.decode(&receipt.0.payload) {
                _ if delivered > self.terms.max_deliver => {
                    Err(Error::msg("it was handed out as often as it may be, and nobody has settled it"))
                }
                Ok(events) if events.is_empty() => Err(Error::msg("there is no event in it")),
                decoded => decoded,
            };
            match events {
                Ok(events) => return Ok(Some(Delivery { events, receipt })),
                Err(error) => self.dead.push((receipt, format!("{error:#}"))),
            }
        }
    }

    async fn settle(&mut self, settled: &mut VecDeque<Settled<Receipt>>) -> Result {
        self.bury_the_dead().await?;
        while let Some(Settled { receipt, outcome }) = settled.front() {
            let (.., delivered) = receipt.about();
            match outcome {
                Outcome::Done => self.answer(receipt, AckKind::Ack).await?,
                Outcome::InProgress => self.answer(receipt, AckKind::Progress).await?,
                Outcome::Failed(cause) if delivered >= self.terms.max_deliver => {
                    self.bury(receipt, cause.as_deref().unwrap_or("it was dropped")).await?;
                }
                _ => self.answer(receipt, AckKind::Nak(Some(self.terms.redeliver_after))).await?,
            }
            settled.pop_front();
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result {
        self.stopped = true;
        if let Some(pulls) = &mut self.pulls {
            pulls.stop();
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        self.terms.ack_wait
    }
}

impl<T> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exchange, group, partition, .. } = self;
        let mut debug = f.debug_struct("Session");
        debug
            .field("exchange", exchange)
            .field("group", group)
            .field("partition", partition)
            .finish_non_exhaustive()
    }
}
