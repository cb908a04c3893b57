//! A source's requests, on one inbox for its life: JetStream's pull requests.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt;
use genstage::{Error, Result};
use tokio::time::{Instant, sleep_until};

use crate::consumers::Consumers;
use crate::ownership::Owned;
use crate::requests::Requests;

/// For how long a request stands at most: then it is made anew, or, of a source that ends, it is void.
const EXPIRES: Duration = Duration::from_secs(1);

/// The same where there are more partitions than messages are wanted, so that requests go from one to the next, at least.
const EXPIRES_SOON: Duration = Duration::from_millis(50);

/// Between two looks whether there is a connection again.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) struct Pulls {
    client: Client,
    inbox: String,
    answers: Subscriber,
    /// Where requests go: to the consumer of each partition.
    subjects: Vec<String>,
    /// How many messages are to be on their way.
    wanted: usize,
    parts: BTreeMap<usize, Part>,
    /// Until when it may request of the partitions it has.
    until: Option<Instant>,
    /// For how long a request stands. Partitions change hands when nothing of them can be on its way any more.
    expires: Duration,
    /// Requests are numbered. The first partition to be asked is another one each time.
    number: u64,
    stopped: bool,
}

/// What is open of a partition.
#[derive(Debug, Default)]
struct Part {
    requests: Requests,
    /// Messages that have come and are not settled.
    unsettled: usize,
    is_kept: bool,
    /// All that it was last asked for has come.
    is_flowing: bool,
}

pub(crate) enum Answer {
    /// A message, and its partition.
    Message(usize, Message),
    /// Something else has changed.
    Status,
    /// The server wants no requests of this partition just now, or does not answer them; perhaps never again.
    Refused(usize),
    /// It was stopped, and nothing is open any more.
    Over,
}

impl Pulls {
    pub(crate) async fn new(client: Client, consumers: &Consumers) -> Result<Self> {
        let inbox = client.new_inbox();
        let answers = client.subscribe(format!("{inbox}.>")).await?;
        let next = format!("$JS.API.CONSUMER.MSG.NEXT.{}", consumers.exchange);
        let partitions = 0..consumers.partitions.unwrap_or(1);
        Ok(Self {
            client,
            inbox,
            answers,
            subjects: partitions.map(|partition| format!("{next}.{}", consumers.name(partition))).collect(),
            wanted: 0,
            parts: BTreeMap::new(),
            until: None,
            expires: EXPIRES.min(consumers.ack_wait / 4),
            number: 0,
            stopped: false,
        })
    }

    /// So many messages are to be on their way: what is not is requested, and requested anew when nothing comes of it.
    pub(crate) fn want(&mut self, messages: usize) {
        self.wanted = messages;
    }

    /// From now on, what it owns; what is still held: that, and what is not settled yet of other partitions.
    pub(crate) fn keep(&mut self, owned: &Owned) -> BTreeSet<usize> {
        self.until = owned.until;
        self.parts
            .iter_mut()
            .for_each(|(partition, part)| part.is_kept = owned.partitions.contains(partition));
        self.parts.retain(|_, part| part.is_kept || part.unsettled > 0 || part.requests.left() > 0);
        for partition in &owned.partitions {
            self.parts.entry(*partition).or_default().is_kept = true;
        }
        self.parts.keys().copied().collect()
    }

    /// There are partitions that it has not let go of.
    pub(crate) fn lets_go(&self) -> bool {
        self.parts.values().any(|part| !part.is_kept)
    }

    pub(crate) fn settled(&mut self, partition: usize) {
        if let Some(part) = self.parts.get_mut(&partition) {
            part.unsettled = part.unsettled.saturating_sub(1);
        }
    }

    /// Requests nothing more. What is open ends by itself: nobody else would get what comes of it.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// What comes next. Cancellation safe.
    pub(crate) async fn next(&mut self) -> Result<Answer> {
        let missing = match self.stopped {
            true => 0,
            false => self.wanted.saturating_sub(self.parts.values().map(|part| part.requests.left()).sum()),
        };
        // What is requested while there is no connection would be sent later, again and again.
        let is_away = missing > 0 && self.client.connection_state() != State::Connected;
        if !is_away {
            self.share_out(missing).await?;
        }
        if self.stopped && self.parts.values().all(|part| part.requests.left() == 0) {
            return Ok(Answer::Over);
        }
        let until = self.parts.values().filter_map(|part| part.requests.until());
        let until = until.chain(is_away.then(|| Instant::now() + LOOK)).min();
        tokio::select! {
            biased;
            answer = self.answers.next() => match answer {
                Some(message) if message.status.is_none() => Ok(self.message(message)),
                Some(status) => Ok(self.status(&status)),
                None => Err(Error::msg("the connection is closed")),
            },
            () = at(until) => {
                let now = Instant::now();
                let parts = self.parts.iter_mut();
                let silent = parts.filter_map(|(partition, part)| part.requests.clock(now).then_some(*partition));
                Ok(silent.last().map_or(Answer::Status, Answer::Refused))
            }
        }
    }

    /// Requests so many messages.
    ///
    /// Nobody knows which of several partitions has messages. So each is asked for one message; and as soon as that comes, for its share
    /// of what is wanted, if it is there: nothing waits at a partition that has none for what another one has.
    async fn share_out(&mut self, mut missing: usize) -> Result {
        if missing == 0 || self.until.is_some_and(|until| until <= Instant::now()) {
            return Ok(());
        }
        let kept = self.parts.iter().filter(|(_, part)| part.is_kept);
        let mut partitions: Vec<_> = kept.map(|(partition, _)| *partition).collect();
        let all = partitions.len();
        if all == 0 {
            return Ok(());
        }
        partitions.rotate_left(self.number as usize % all);
        let expires =
            self.expires.mul_f64((missing as f64 / all as f64).min(1.0)).max(EXPIRES_SOON.min(self.expires));
        for partition in partitions {
            let Some(part) = self.parts.get(&partition) else { continue };
            let batch = match all {
                1 => missing,
                _ if part.requests.left() > 0 => 0,
                _ if part.is_flowing => missing.div_ceil(all),
                _ => missing.min(1),
            };
            if batch > 0 && part.requests.is_welcome() {
                let waits = all == 1 || !part.is_flowing;
                self.pull(partition, batch, waits.then_some(expires)).await?;
                missing -= batch;
            }
        }
        Ok(())
    }

    /// One request, which waits for so long or is for what is there. (Cancellation safe: it has been sent when it is noted.)
    async fn pull(&mut self, partition: usize, batch: usize, expires: Option<Duration>) -> Result {
        let Some(subject) = self.subjects.get(partition).cloned() else { return Ok(()) };
        let number = self.number;
        let reply = format!("{}.{partition}.{number}", self.inbox);
        let request = match expires {
            Some(expires) => format!("{{\"batch\":{batch},\"expires\":{}}}", expires.as_nanos()),
            None => format!("{{\"batch\":{batch},\"no_wait\":true}}"),
        };
        self.client.publish_with_reply(subject, reply, request.into()).await?;
        self.number += 1;
        let part = self.parts.entry(partition).or_default();
        part.requests.add(number, batch, Instant::now() + expires.unwrap_or_default());
        Ok(())
    }

    fn message(&mut self, message: Message) -> Answer {
        // Messages have the subject under which they were stored, which ends with the partition, if there are any.
        let partition = message.subject.rsplit('.').next().and_then(|last| last.parse().ok());
        let partition = partition.filter(|partition| *partition < self.subjects.len()).unwrap_or(0);
        let part = self.parts.entry(partition).or_default();
        part.requests.message();
        part.is_flowing = part.requests.left() == 0;
        part.unsettled += 1;
        Answer::Message(partition, message)
    }

    fn status(&mut self, status: &Message) -> Answer {
        let mut about = status.subject.rsplit('.').map(|token| token.parse::<u64>());
        let (Some(Ok(number)), Some(Ok(partition))) = (about.next(), about.next()) else {
            return Answer::Status;
        };
        let partition = partition as usize;
        let Some(part) = self.parts.get_mut(&partition) else { return Answer::Status };
        let void = part.requests.status(number, status);
        part.is_flowing &= void == 0;
        let is_refused = !part.requests.is_welcome();
        if is_refused { Answer::Refused(partition) } else { Answer::Status }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
