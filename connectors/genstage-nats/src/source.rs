use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use async_nats::jetstream::{AckKind, Context};
use async_nats::{Client, Message};
use futures_util::future::join_all;
use genstage::remote::{Delivery, FromRemote, Outcome, Remote, Settled};
use genstage::{Error, Result};
use serde::de::DeserializeOwned;

use crate::Codec;
use crate::consumers::Consumers;
use crate::exchange::{Routing, Terms};
use crate::hub::{Opened, dead_letters, subject};
use crate::message::{Outgoing, store};
use crate::ownership::{Group, Owned, Ownership};
use crate::pulls::{Answer, Pulls};

/// How much of a cause, in characters, goes with a dead letter; with it a letter still fits into a message.
const MOST_OF_A_CAUSE: usize = 500;

/// A producer of what was put into an exchange; from [`Hub::source`](crate::Hub::source).
pub type Source<T> = FromRemote<Session<T>>;

/// One source's dealings with the server.
pub struct Session<T> {
    client: Client,
    context: Context,
    consumers: Consumers,
    /// Where it is stored who owns which partition, if there are any.
    owners: Option<Store>,
    terms: Terms,
    codec: Codec,
    pulls: Option<Pulls>,
    ownership: Option<Ownership>,
    /// How many events have been requested and have not come.
    owed: usize,
    stopped: bool,
    /// What is to go to the dead letters, and why.
    dead: Vec<(Receipt, String)>,
    types: PhantomData<fn() -> T>,
}

/// Names a delivery to the server.
#[derive(Clone, Debug)]
pub struct Receipt {
    message: Arc<Message>,
    partition: usize,
    /// How often it has been handed out.
    delivered: u64,
}

impl<T> Session<T> {
    pub(crate) fn new<R: Routing<T>>(exchange: &Opened<R>, group: &str) -> Self {
        let Opened { client, context, terms, codec, owners, .. } = exchange;
        Self {
            client: client.clone(),
            context: context.clone(),
            consumers: Consumers::of::<T, R>(exchange, group),
            owners: owners.clone(),
            terms: terms.clone(),
            codec: *codec,
            pulls: None,
            ownership: None,
            owed: 0,
            stopped: false,
            dead: vec![],
            types: PhantomData,
        }
    }

    /// Lets go of what it does not own any more, as soon as nothing is left of it.
    fn let_go(&mut self) {
        if let (Some(ownership), Some(pulls)) = (&mut self.ownership, &mut self.pulls)
            && pulls.lets_go()
        {
            ownership.look(|owned| pulls.keep(owned));
        }
    }

    fn pulls(&mut self) -> Result<&mut Pulls> {
        self.pulls.as_mut().ok_or_else(not_begun)
    }

    /// As many messages as bring what is owed, if they are full.
    fn want(&mut self) -> Result {
        let messages = self.owed.div_ceil(self.terms.pack);
        self.pulls()?.want(messages);
        Ok(())
    }

    /// Waits for what comes next. Cancellation safe.
    async fn next(&mut self) -> Result<Answer> {
        let pulls = self.pulls.as_mut().ok_or_else(not_begun)?;
        let Some(ownership) = &mut self.ownership else { return pulls.next().await };
        tokio::select! {
            biased;
            changed = ownership.changed() => {
                changed?;
                ownership.look(|owned| pulls.keep(owned));
                Ok(Answer::Status)
            }
            answer = pulls.next() => answer,
        }
    }

    /// What the server is told; none if the message is to be buried.
    fn kind(&self, Settled { receipt, outcome }: &Settled<Receipt>) -> Option<AckKind> {
        match outcome {
            Outcome::Done => Some(AckKind::Ack),
            Outcome::InProgress => Some(AckKind::Progress),
            _ if receipt.delivered >= self.terms.max_deliver => None,
            _ => Some(AckKind::Nak(Some(self.terms.redeliver_after))),
        }
    }

    async fn answer(&self, receipt: &Receipt, kind: AckKind) -> Result {
        if let Some(reply) = receipt.message.reply.clone() {
            self.client.publish(reply, kind.into()).await?;
        }
        Ok(())
    }

    /// Waits until the server has heard it. (One that does not answer hands it out again.)
    async fn confirmed(&self, receipt: &Receipt, kind: AckKind) {
        if let Some(reply) = receipt.message.reply.clone() {
            drop(self.client.request(reply, kind.into()).await);
        }
    }

    /// Puts a message to the dead letters, and out of the way.
    async fn bury(&self, receipt: &Receipt, cause: &str) -> Result {
        let (stream, delivered, sequence) = about(receipt.message.reply.as_deref());
        let letters = dead_letters(&self.consumers.exchange);
        let group = &self.consumers.group;
        let id = format!("{stream}:{group}:{sequence}");
        let mut letter = Outgoing::new(subject(&letters, None), &id, receipt.message.payload.to_vec());
        for (name, value) in [
            ("Genstage-Cause", cause.replace(['\r', '\n'], " ").chars().take(MOST_OF_A_CAUSE).collect()),
            ("Genstage-Group", group.clone()),
            ("Genstage-Subject", receipt.message.subject.to_string()),
            ("Genstage-Delivered", delivered.to_string()),
        ] {
            letter.headers.insert(name, value.as_str());
        }
        store(&self.context, &letters, vec![letter]).await?;
        match self.stopped {
            true => self.confirmed(receipt, AckKind::Ack).await,
            false => self.answer(receipt, AckKind::Ack).await?,
        }
        Ok(())
    }

    /// Buries what is to be. Cancellation safe: a letter that is put twice is known by its id.
    async fn bury_the_dead(&mut self) -> Result {
        while let Some((receipt, cause)) = self.dead.last() {
            self.bury(receipt, cause).await?;
            let partition = receipt.partition;
            self.dead.pop();
            self.pulls()?.settled(partition);
        }
        Ok(())
    }
}

impl Receipt {
    fn new(message: Message, partition: usize) -> Self {
        let delivered = delivered(message.reply.as_deref());
        Self { message: Arc::new(message), partition, delivered }
    }
}

/// A token of `$JS.ACK.stream.consumer.delivered.sequence.…`, with a domain and an account before the stream from another version on.
///
/// By bytes, because it is looked for in every message: that is four times as fast as by characters.
fn token(reply: Option<&str>, index: usize) -> &str {
    let is_dot = |byte: &u8| *byte == b'.';
    let reply = reply.unwrap_or_default().as_bytes();
    let before = if reply.iter().filter(|byte| is_dot(byte)).count() > 8 { 4 } else { 2 };
    let token = reply.split(is_dot).nth(before + index).unwrap_or_default();
    std::str::from_utf8(token).unwrap_or_default()
}

/// The stream of a message, how often it has been handed out, and its number in the stream.
fn about(reply: Option<&str>) -> (&str, u64, u64) {
    (token(reply, 0), delivered(reply), token(reply, 3).parse().unwrap_or(0))
}

fn delivered(reply: Option<&str>) -> u64 {
    token(reply, 2).parse().unwrap_or(1)
}

impl<T: DeserializeOwned + Send + 'static> Remote for Session<T> {
    type Event = T;
    type Receipt = Receipt;

    async fn open(&mut self) -> Result {
        self.consumers.make().await?;
        let mut pulls = Pulls::new(self.client.clone(), &self.consumers).await?;
        match (&self.owners, self.consumers.partitions) {
            (Some(store), Some(partitions)) => {
                let (consumers, store) = (self.consumers.clone(), store.clone());
                self.ownership = Some(Ownership::join(Group { consumers, partitions, store }));
            }
            _ => drop(pulls.keep(&Owned { partitions: BTreeSet::from([0]), until: None })),
        }
        self.pulls = Some(pulls);
        Ok(())
    }

    async fn request(&mut self, events: usize) -> Result {
        self.owed += events;
        self.want()
    }

    async fn receive(&mut self) -> Result<Option<Delivery<T, Receipt>>> {
        loop {
            self.bury_the_dead().await?;
            self.let_go();
            let (partition, message) = match self.next().await? {
                Answer::Message(partition, message) => (partition, message),
                Answer::Status => continue,
                Answer::Refused(partition) => {
                    self.consumers.is_still_there(partition).await?;
                    continue;
                }
                Answer::Over => return Ok(None),
            };
            let receipt = Receipt::new(message, partition);
            let events = match self.codec.decode(&receipt.message.payload) {
                _ if receipt.delivered > self.terms.max_deliver => {
                    Err(Error::msg("it was handed out as often as it may be, and nobody has settled it"))
                }
                Ok(events) if events.is_empty() => Err(Error::msg("there is no event in it")),
                decoded => decoded,
            };
            match events {
                Ok(events) => {
                    self.owed = self.owed.saturating_sub(events.len());
                    self.want()?;
                    return Ok(Some(Delivery { events, receipt }));
                }
                Err(error) => self.dead.push((receipt, format!("{error:#}"))),
            }
        }
    }

    async fn settle(&mut self, settled: &mut VecDeque<Settled<Receipt>>) -> Result {
        self.bury_the_dead().await?;
        if self.stopped {
            let answers =
                settled.iter().filter_map(|one| Some(self.confirmed(&one.receipt, self.kind(one)?)));
            join_all(answers).await;
        }
        while let Some(one) = settled.front() {
            match self.kind(one) {
                Some(_) if self.stopped => {}
                Some(kind) => self.answer(&one.receipt, kind).await?,
                None => self.bury(&one.receipt, cause(&one.outcome)).await?,
            }
            if one.outcome != Outcome::InProgress {
                self.pulls()?.settled(one.receipt.partition);
            }
            settled.pop_front();
        }
        self.let_go();
        Ok(())
    }

    async fn close(&mut self) {
        if let Some(ownership) = self.ownership.take() {
            ownership.leave().await;
        }
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
        f.debug_struct("Session").field("consumers", &self.consumers).finish_non_exhaustive()
    }
}

fn cause(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed(Some(cause)) => cause,
        _ => "it was dropped",
    }
}

fn not_begun() -> Error {
    Error::msg("the source has not begun")
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn both_forms_of_a_reply_are_understood() {
        assert_eq!(about(Some("$JS.ACK.numbers.group.3.7.8.1700000000.5")), ("numbers", 3, 7));
        assert_eq!(
            about(Some("$JS.ACK.hub.ACCOUNT.numbers.group.3.7.8.1700000000.5.token")),
            ("numbers", 3, 7)
        );
        // What says nothing has come for the first time.
        assert_eq!(about(None), ("", 1, 0));
    }
}
