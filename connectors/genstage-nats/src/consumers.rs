//! The consumers that the server keeps account for: that of a group, or of each of its partitions.

use std::time::Duration;

use async_nats::jetstream::consumer::{
    AckPolicy, Config, Consumer, DeliverPolicy, Info, IntoConsumerConfig, pull,
};
use async_nats::jetstream::context::{ConsumerInfoError, ConsumerInfoErrorKind};
use async_nats::jetstream::stream::{ConsumerErrorKind, RetentionPolicy};
use async_nats::jetstream::{Context, ErrorCode};
use genstage::{Error, Result};

use crate::exchange::Routing;
use crate::hub::{Opened, difference, subject};

/// A group of an exchange, as the server has it.
#[derive(Clone, Debug)]
pub(crate) struct Consumers {
    pub(crate) context: Context,
    pub(crate) exchange: String,
    pub(crate) group: String,
    pub(crate) partitions: Option<usize>,
    pub(crate) retention: RetentionPolicy,
    pub(crate) ack_wait: Duration,
}

impl Consumers {
    pub(crate) fn of<T, R: Routing<T>>(exchange: &Opened<R>, group: &str) -> Self {
        let Opened { context, name, routing, terms, .. } = exchange;
        Self {
            context: context.clone(),
            exchange: name.clone(),
            group: group.to_owned(),
            partitions: routing.partitions(),
            retention: R::RETENTION,
            ack_wait: terms.ack_wait,
        }
    }

    /// Makes those that are not there.
    pub(crate) async fn make(&self) -> Result {
        for partition in 0..self.partitions.unwrap_or(1) {
            self.make_one(partition).await?;
        }
        Ok(())
    }

    pub(crate) fn name(&self, partition: usize) -> String {
        match self.partitions {
            Some(_) => format!("{}-{partition}", self.group),
            None => self.group.clone(),
        }
    }

    async fn make_one(&self, partition: usize) -> Result {
        let Self { exchange, group, .. } = self;
        let wanted = self.config(partition);
        let there = self.there_or_made(partition, &wanted).await;
        let there =
            there.map_err(|error| error.context(format!("joining the group `{group}` of `{exchange}`")))?;
        let compared = |config: &Config| {
            [
                ("acknowledgements", format!("{:?}", config.ack_policy)),
                ("an ack wait", format!("{:?}", config.ack_wait)),
                ("a filter", format!("{:?}", config.filter_subject)),
                ("a limit of deliveries", config.max_deliver.to_string()),
                ("a limit of unsettled messages", config.max_ack_pending.to_string()),
            ]
        };
        match difference(compared(&wanted.into_consumer_config()), compared(&there)) {
            None => Ok(()),
            Some((field, wanted, got)) => {
                let message =
                    format!("the group `{group}` of `{exchange}` has {field} of {got}, not {wanted}");
                Err(Error::msg(message))
            }
        }
    }

    /// What it is like on the server. (Making it would change one that is there and differs, and servers ignore what they do not know.)
    async fn there_or_made(&self, partition: usize, wanted: &pull::Config) -> Result<Config> {
        match self.info(partition).await?.map_err(|error| (error.kind(), error)) {
            Ok(info) => Ok(info.config),
            Err((ConsumerInfoErrorKind::NotFound, _)) => {
                let stream = self.context.get_stream_no_info(&self.exchange).await?;
                let made: Consumer<pull::Config> = stream.create_consumer(wanted.clone()).await?;
                Ok(made.cached_info().config.clone())
            }
            Err((_, error)) => Err(error.into()),
        }
    }

    fn config(&self, partition: usize) -> pull::Config {
        let filter = self.partitions.map(|_| subject(&self.exchange, Some(partition)));
        pull::Config {
            durable_name: Some(self.name(partition)),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            // Counted by the source, and bounded by demand.
            max_deliver: -1,
            max_ack_pending: -1,
            // Who subscribes to a broadcast has what comes from now on; what is shared is there for whoever comes.
            deliver_policy: match self.retention {
                RetentionPolicy::Interest => DeliverPolicy::New,
                _ => DeliverPolicy::All,
            },
            filter_subject: filter.unwrap_or_default(),
            ..pull::Config::default()
        }
    }

    /// What the server says of it, or why it does not.
    async fn info(&self, partition: usize) -> Result<Result<Info, ConsumerInfoError>> {
        let stream = self.context.get_stream_no_info(&self.exchange).await?;
        Ok(stream.consumer_info(self.name(partition)).await)
    }

    /// All that was handed out has been settled.
    pub(crate) async fn is_settled(&self, partition: usize) -> Result<bool> {
        Ok(self.info(partition).await??.num_ack_pending == 0)
    }

    /// # Errors
    ///
    /// If it has been removed.
    pub(crate) async fn is_still_there(&self, partition: usize) -> Result {
        let Self { exchange, group, .. } = self;
        match self.info(partition).await?.map_err(|error| error.kind()) {
            Err(ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound) => {
                Err(Error::msg(format!("the group `{group}` of `{exchange}` has been removed")))
            }
            _ => Ok(()),
        }
    }

    /// Has all that is not settled handed out anew, in its order.
    pub(crate) async fn begin_anew(&self, partition: usize) -> Result {
        self.remove_one(partition).await?;
        self.make_one(partition).await
    }

    /// Removes those that are there.
    pub(crate) async fn remove(&self) -> Result {
        for partition in 0..self.partitions.unwrap_or(1) {
            self.remove_one(partition).await?;
        }
        Ok(())
    }

    async fn remove_one(&self, partition: usize) -> Result {
        let stream = self.context.get_stream_no_info(&self.exchange).await?;
        let removed = stream.delete_consumer(&self.name(partition)).await;
        match removed.map_err(|error| (error.kind(), error)) {
            Err((ConsumerErrorKind::JetStream(why), _))
                if why.error_code() == ErrorCode::CONSUMER_NOT_FOUND =>
            {
                Ok(())
            }
            Err((_, error)) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }
}
