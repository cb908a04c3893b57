//! Subscriptions that are limited in time: how many events a consumer takes in at most.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::Reason;
use crate::machine::Upstream;
use crate::subscription::{CancelKind, SubscriptionId};

/// At most so many events in any stretch of so much time: the option `rate` of an edge, and [`Subscribe::rate`](crate::Subscribe::rate).
///
/// The limit works upstream, by demand: each event uses up a part of it, which is free again when that time has passed since it was
/// handled; what is not free is not asked for. So a producer that could send more is not asked to, nothing is dropped, and nothing waits in a queue. The
/// events of a period may come all at once: for one every 100 ms say `Rate::new(1, Duration::from_millis(100))` and not
/// `Rate::per_second(10)`. Each subscription, so each replica too, has the rate for itself.
///
/// What has been handled is asked for as soon as the limit allows it, so a `min_demand` says no more than how large batches are, which have at
/// most half of what the limit allows. A [`Watch`](crate::Watch) counts as asked for what waits for its turn.
///
/// An event stream with a rate is read within a tokio runtime, and any runtime needs its timers (`enable_time`) for it.
///
/// A stage that asks by itself ([`Demand::Manual`](crate::Demand::Manual)) limits itself: its asks are passed on as they are.
///
/// ```
/// use std::time::Duration;
///
/// use genstage::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result {
/// let begin = tokio::time::Instant::now();
/// pipeline! {
///     from_iter(0..100) => for_each(|call| println!("{call}")) [rate: Rate::new(10, Duration::from_secs(1))];
/// }
/// .run()
/// .await?;
/// assert!(begin.elapsed() >= Duration::from_secs(9));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub(crate) events: usize,
    pub(crate) per: Duration,
}

impl Rate {
    /// At most so many events, at least 1, in any stretch of that time. It is measured to the millisecond.
    #[must_use]
    pub const fn new(events: usize, per: Duration) -> Self {
        Self { events, per }
    }

    /// At most so many events, at least 1, in any second.
    #[must_use]
    pub const fn per_second(events: usize) -> Self {
        Self::new(events, Duration::from_secs(1))
    }
}

impl fmt::Display for Rate {
    /// `10 per 1s`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {:?}", self.events, self.per)
    }
}

/// The way to a producer of which so much may come in a given time.
///
/// An event that comes uses up some of that; it is there again when the time has passed since the event was handled.
pub(crate) struct Limited<T> {
    limit: Arc<Limit<T>>,
    per: Duration,
    /// The one that gives back, while there is something to; it ends with the subscription.
    timer: Mutex<JoinSet<()>>,
}

struct Limit<T> {
    producer: Box<dyn Upstream<T> + Sync>,
    room: Mutex<Room>,
}

struct Room {
    /// How many events may be asked for.
    free: usize,
    /// How many events are to be asked for when they may be.
    wanted: usize,
    /// When how many come free again, the first at the front. What is handled within so short a time comes free together.
    used: VecDeque<(Instant, usize)>,
    together: Duration,
    /// Whether there is a timer that sees to it.
    is_timed: bool,
}

impl<T> Limited<T> {
    pub(crate) fn new(producer: impl Upstream<T> + Sync + 'static, Rate { events, per }: Rate) -> Self {
        let together = (per / 1000).max(Duration::from_millis(1));
        let room =
            Mutex::new(Room { free: events, wanted: 0, used: VecDeque::new(), together, is_timed: false });
        let limit = Arc::new(Limit { producer: Box::new(producer), room });
        Self { limit, per, timer: Mutex::default() }
    }
}

impl Room {
    /// Takes as much as is wanted and there is room for.
    fn take(&mut self) -> usize {
        let demand = self.free.min(self.wanted);
        self.free -= demand;
        self.wanted -= demand;
        demand
    }

    /// So many events come free then.
    fn use_up(&mut self, events: usize, until: Option<Instant>) {
        // Beyond all time is never.
        let Some(until) = until else { return };
        match self.used.back_mut() {
            Some((last, used)) if *last >= until => *used += events,
            _ => self.used.push_back((until + self.together, events)),
        }
    }

    /// What comes free by then.
    fn give_back(&mut self, then: Instant) {
        while let Some((until, events)) = self.used.front()
            && *until <= then
        {
            self.free += events;
            self.used.pop_front();
        }
    }

    /// When something comes free next; if nothing does, the timer is not needed any more.
    fn next(&mut self) -> Option<Instant> {
        let next = self.used.front().map(|(until, _)| *until);
        self.is_timed = next.is_some();
        next
    }
}

impl<T> Limit<T> {
    fn ask(&self, id: SubscriptionId, spare: &mut Vec<T>) {
        let demand = self.room.lock().take();
        if demand > 0 {
            self.producer.ask(id, demand, spare);
        }
    }

    /// Gives back what comes free, until nothing is used up.
    async fn give_back(&self, id: SubscriptionId) {
        loop {
            let next = self.room.lock().next();
            let Some(until) = next else { return };
            sleep_until(until).await;
            self.room.lock().give_back(until);
            self.ask(id, &mut Vec::new());
        }
    }
}

impl<T: Send + 'static> Upstream<T> for Limited<T> {
    fn ask(&self, id: SubscriptionId, demand: usize, spare: &mut Vec<T>) {
        let mut room = self.limit.room.lock();
        room.free = room.free.saturating_sub(demand);
        drop(room);
        self.limit.producer.ask(id, demand, spare);
    }

    fn ask_again(&self, id: SubscriptionId, demand: usize, spare: &mut Vec<T>) {
        let mut room = self.limit.room.lock();
        room.wanted += demand;
        room.use_up(demand, Instant::now().checked_add(self.per));
        let is_timed = std::mem::replace(&mut room.is_timed, true);
        drop(room);
        self.limit.ask(id, spare);
        if !is_timed {
            let (limit, mut timer) = (self.limit.clone(), self.timer.lock());
            while timer.try_join_next().is_some() {}
            timer.spawn(async move { limit.give_back(id).await });
        }
    }

    fn give_back(&self, id: SubscriptionId, events: Vec<T>) {
        self.limit.producer.give_back(id, events);
    }

    fn consumer_gone(&self, id: SubscriptionId, kind: CancelKind, reason: Reason) {
        self.limit.producer.consumer_gone(id, kind, reason);
    }
}
