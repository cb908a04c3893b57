//! Subscriptions that are limited in time: how many events a consumer takes in at most.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::Reason;
use crate::machine::Upstream;
use crate::subscription::{CancelKind, SubscriptionId};

/// At most so many events in any stretch of so much time: the option `rate` of an edge, and [`Subscribe::rate`](crate::Subscribe::rate).
///
/// The limit works upstream, by demand: at most so many events are asked for at first, and for each that has been handled another one
/// when that time has passed. So a producer that could send more is not asked to, nothing is dropped, and nothing waits in a queue. The
/// events of a period may come all at once: for one every 100 ms say `Rate::new(1, Duration::from_millis(100))` and not
/// `Rate::per_second(10)`. Each subscription, so each replica too, has the rate for itself.
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
    /// They end with the subscription.
    timers: Mutex<JoinSet<()>>,
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
}

impl<T> Limited<T> {
    pub(crate) fn new(producer: impl Upstream<T> + Sync + 'static, Rate { events, per }: Rate) -> Self {
        let room = Mutex::new(Room { free: events, wanted: 0 });
        let limit = Arc::new(Limit { producer: Box::new(producer), room });
        Self { limit, per, timers: Mutex::default() }
    }
}

impl<T> Limit<T> {
    /// Asks for as much as is wanted and there is room for, after a change of that.
    fn ask(&self, id: SubscriptionId, spare: &mut Vec<T>, change: impl FnOnce(&mut Room)) {
        let mut room = self.room.lock();
        change(&mut room);
        let demand = room.free.min(room.wanted);
        room.free -= demand;
        room.wanted -= demand;
        drop(room);
        if demand > 0 {
            self.producer.ask(id, demand, spare);
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
        self.limit.ask(id, spare, |room| room.wanted += demand);
        let (limit, per) = (self.limit.clone(), self.per);
        let mut timers = self.timers.lock();
        while timers.try_join_next().is_some() {}
        timers.spawn(async move {
            tokio::time::sleep(per).await;
            limit.ask(id, &mut Vec::new(), |room| room.free += demand);
        });
    }

    fn give_back(&self, id: SubscriptionId, events: Vec<T>) {
        self.limit.producer.give_back(id, events);
    }

    fn consumer_gone(&self, id: SubscriptionId, kind: CancelKind, reason: Reason) {
        self.limit.producer.consumer_gone(id, kind, reason);
    }
}
