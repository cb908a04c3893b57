//! Requests for messages that are open with one consumer of the server's, as a value.

use std::time::Duration;

use async_nats::{Message, StatusCode};
use tokio::time::Instant;

/// How long after its end the server's word of it may take, if there is a connection.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait after the server has refused a request, for want of a leader or so.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug)]
struct Request {
    number: u64,
    /// How many messages it was for.
    batch: usize,
    until: Instant,
}

/// What is still to come. A request ends when all of its messages have come, or with a status; messages do not say to which request
/// they belong, so what is left is counted for all together; and never is more left than those that are open were for.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// Messages that have been requested and have not come.
    left: usize,
    /// Requests that may be open.
    open: Vec<Request>,
    not_before: Option<Instant>,
}

impl Requests {
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The server has not just refused one.
    pub(crate) fn is_welcome(&self) -> bool {
        self.not_before.is_none()
    }

    /// One more, for so many messages, which the server ends at that time.
    pub(crate) fn add(&mut self, number: u64, messages: usize, end: Instant) {
        self.left += messages;
        self.open.push(Request { number, batch: messages, until: end + GRACE });
    }

    pub(crate) fn message(&mut self) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.open.clear();
        }
    }

    /// What the server says of one: it has come to its end, or is still open. How many messages will not come.
    pub(crate) fn status(&mut self, number: u64, status: &Message) -> usize {
        let code = status.status.unwrap_or(StatusCode::OK);
        if code.as_u16() == 100 {
            return 0;
        }
        let open = self.open.len();
        self.open.retain(|request| request.number != number);
        let pending = status.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
        let pending = pending.and_then(|pending| pending.as_str().parse().ok()).unwrap_or(0);
        // What was given up before is not given up twice.
        let void = if self.open.len() < open { self.void(pending) } else { 0 };
        if !matches!(code, StatusCode::TIMEOUT | StatusCode::NOT_FOUND) {
            self.not_before = Some(Instant::now() + PAUSE);
        }
        void
    }

    /// So many messages will not come, or more, if more is left than can come.
    fn void(&mut self, messages: usize) -> usize {
        let most = self.open.iter().map(|request| request.batch).sum();
        let left = self.left.saturating_sub(messages).min(most);
        std::mem::replace(&mut self.left, left) - left
    }

    /// When to look at the clock.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.open.iter().map(|request| request.until).chain(self.not_before).min()
    }

    /// Requests whose end nobody has told are over all the same: the server was away. Whether there were any.
    pub(crate) fn clock(&mut self, now: Instant) -> bool {
        self.not_before.take_if(|not_before| *not_before <= now);
        self.open.retain(|request| request.until > now);
        self.void(0) > 0
    }
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;

    use super::*;

    fn status(code: u16, pending: Option<usize>) -> Message {
        let headers = pending.map(|pending| {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Pending-Messages", pending.to_string());
            headers
        });
        Message {
            subject: "inbox".into(),
            reply: None,
            payload: "".into(),
            headers,
            status: StatusCode::try_from(code).ok(),
            description: None,
            length: 0,
        }
    }

    /// Two requests, for seven messages.
    fn requests() -> Requests {
        let mut requests = Requests::default();
        requests.add(0, 3, Instant::now());
        requests.add(1, 4, Instant::now());
        requests
    }

    #[test]
    fn what_has_come_is_not_to_come_any_more() {
        let mut requests = requests();
        (0..7).for_each(|_| requests.message());
        assert_eq!((requests.left(), requests.until()), (0, None));
        // More than was asked for is no reason to count backwards.
        requests.message();
        assert_eq!(requests.left(), 0);
    }

    #[test]
    fn a_request_that_has_expired_says_what_will_not_come_of_it() {
        let mut requests = requests();
        requests.message();
        assert_eq!(requests.status(0, &status(408, Some(2))), 2);
        assert_eq!((requests.left(), requests.is_welcome()), (4, true));
    }

    /// Not every status says how many will not come; never is more left than those that are open were for.
    #[test]
    fn what_no_request_stands_for_will_not_come() {
        let mut requests = requests();
        assert_eq!(requests.status(0, &status(404, None)), 3);
        assert_eq!(requests.status(1, &status(408, Some(2))), 4);
        assert_eq!((requests.left(), requests.until()), (0, None));
    }

    /// It was given up by the clock, and its messages have been requested by another.
    #[test]
    fn a_status_that_comes_too_late_says_nothing() {
        let mut requests = Requests::default();
        requests.add(0, 3, Instant::now());
        assert!(requests.clock(Instant::now() + GRACE));
        assert_eq!(requests.left(), 0);
        requests.add(1, 3, Instant::now());
        assert_eq!(requests.status(0, &status(408, Some(3))), 0);
        assert_eq!(requests.left(), 3);
    }

    #[test]
    fn a_refusal_makes_a_pause() {
        let mut requests = requests();
        assert_eq!(requests.status(1, &status(409, None)), 4);
        assert!(!requests.is_welcome());
        assert!(!requests.clock(Instant::now() + PAUSE));
        assert!(requests.is_welcome());
        assert_eq!(requests.status(0, &status(100, None)), 0);
    }

    #[test]
    fn a_server_that_is_away_ends_all_that_is_open() {
        let mut requests = requests();
        assert!(!requests.clock(Instant::now()));
        assert!(requests.clock(Instant::now() + GRACE));
        assert_eq!((requests.left(), requests.until()), (0, None));
    }
}
