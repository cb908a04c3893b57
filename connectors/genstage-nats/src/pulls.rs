//! Requests for messages, and what becomes of them.
//!
//! JetStream's pull requests, on one inbox for the life of a source. A request ends when all of its messages have come, or with a status; messages do
//! not say to which request they belong, so what is still to come is counted for all requests together.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use async_nats::{Client, Message, StatusCode, Subscriber};
use futures_util::StreamExt;
use genstage::{Error, Result};
use tokio::time::{Instant, sleep_until};

/// For how long a request stands: then it is made anew, or, of a source that ends, it is void.
const EXPIRES: Duration = Duration::from_secs(2);

/// How long after its end the server's word of it may take, if there is a connection.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait after the server has refused a request, for want of a leader or so.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Pulls {
    client: Client,
    /// Where requests go, and where answers come.
    subject: String,
    inbox: String,
    answers: Subscriber,
    /// Messages that have been requested and have not come.
    left: usize,
    /// Requests that may be open: their numbers, and until when.
    open: VecDeque<(u64, Instant)>,
    number: u64,
    /// Messages to be requested, and before when not.
    wanted: usize,
    not_before: Option<Instant>,
    stopped: bool,
}

impl Pulls {
    pub(crate) async fn new(client: Client, stream: &str, consumer: &str) -> Result<Self> {
        let inbox = client.new_inbox();
        let answers = client.subscribe(format!("{inbox}.*")).await?;
        Ok(Self {
            client,
            subject: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            inbox,
            answers,
            left: 0,
            open: VecDeque::new(),
            number: 0,
            wanted: 0,
            not_before: None,
            stopped: false,
        })
    }

    /// Requests so many messages more.
    pub(crate) async fn request(&mut self, messages: usize) -> Result {
        let before = self.wanted;
        self.wanted += messages;
        let pulled = self.pull();
        let pulled = pulled.await;
        if pulled.is_err() {
            self.wanted = before;
        }
        pulled
    }

    /// One request for all that is wanted. (Cancellation safe: it has been sent when it is noted.)
    async fn pull(&mut self) -> Result {
        if self.wanted == 0 || self.stopped || self.not_before.is_some() {
            return Ok(());
        }
        let (messages, number) = (self.wanted, self.number);
        let request = format!("{{\"batch\":{messages},\"expires\":{}}}", EXPIRES.as_nanos());
        let reply = format!("{}.{number}", self.inbox);
        self.client.publish_with_reply(self.subject.clone(), reply, request.into()).await?;
        self.number += 1;
        self.wanted -= messages;
        self.left += messages;
        self.open.push_back((number, Instant::now() + EXPIRES + GRACE));
        Ok(())
    }

    /// Requests nothing more. What is open ends by itself: nobody else would get what comes of it.
    pub(crate) fn stop(&mut self) {
        (self.stopped, self.wanted) = (true, 0);
    }

    /// The next message; none when it was stopped, and nothing is open any more. Cancellation safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>> {
        loop {
            self.pull().await?;
            if self.stopped && self.left == 0 {
                return Ok(None);
            }
            let until = self.open.front().map(|(_, until)| *until).into_iter().chain(self.not_before).min();
            tokio::select! {
                biased;
                answer = self.answers.next() => match answer {
                    Some(message) if is_event(&message) => {
                        self.left = self.left.saturating_sub(1);
                        if self.left == 0 {
                            self.open.clear();
                        }
                        return Ok(Some(message));
                    }
                    Some(status) => self.hear(&status)?,
                    None => return Err(Error::msg("the connection is closed")),
                },
                () = at(until) => self.look_at_the_clock(),
            }
        }
    }

    /// A request has come to its end, or is still open.
    fn hear(&mut self, status: &Message) -> Result {
        let code = status.status.unwrap_or(StatusCode::OK);
        if code.as_u16() == 100 {
            return Ok(());
        }
        let description = status.description.as_deref().unwrap_or_default();
        if description.contains("Consumer Deleted") {
            return Err(Error::msg("its consumer has been deleted on the server"));
        }
        let number = status.subject.rsplit('.').next().and_then(|number| number.parse::<u64>().ok());
        let is_it = |(open, _): &(u64, Instant)| Some(*open) == number;
        if let Some(index) = self.open.iter().position(is_it) {
            self.open.remove(index);
        }
        let pending = status.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
        let void = match pending.and_then(|pending| pending.as_str().parse().ok()) {
            Some(pending) => self.left.min(pending),
            None if self.open.is_empty() => self.left,
            None => 0,
        };
        self.give_up(void);
        if !matches!(code, StatusCode::TIMEOUT | StatusCode::NOT_FOUND) {
            self.not_before = Some(Instant::now() + PAUSE);
        }
        Ok(())
    }

    /// Nothing comes of so many requested messages: they are to be requested anew.
    fn give_up(&mut self, messages: usize) {
        self.left -= messages;
        if !self.stopped {
            self.wanted += messages;
        }
    }

    /// Requests whose end nobody has told are over all the same: the server was away.
    fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        self.not_before.take_if(|not_before| *not_before <= now);
        let open = self.open.len();
        self.open.retain(|(_, until)| *until > now);
        if open > 0 && self.open.is_empty() {
            self.give_up(self.left);
        }
    }
}

fn is_event(message: &Message) -> bool {
    message.status.is_none()
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
