use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use crate::children::Children;
use crate::role::{Emits, Runnable, Stage};
use crate::subscription::SubscriptionId;
use crate::task::WeakAddress;
use crate::{Cast, ChildId, NoSuchChild, Reason, StageRef, Subscription};

/// What a callback can say to the runtime: emit events, finish.
///
/// Nothing that is said here waits: it takes effect when the callback returns.
pub struct Context<S: Stage> {
    pub(crate) name: Arc<str>,
    /// Weak: a stage does not keep itself reachable.
    pub(crate) this: WeakAddress<S>,
    /// Most stages have none.
    timers: Option<JoinSet<()>>,
    pub(crate) out: Vec<S::Give>,
    pub(crate) finish: bool,
    pub(crate) stop: Option<Reason>,
    /// What is to be done when the callback's events have been sent.
    pub(crate) afterwards: Vec<Box<dyn FnOnce() + Send>>,
    pub(crate) asks: Vec<(SubscriptionId, usize)>,
    /// Of a consumer supervisor that has, or had, any.
    pub(crate) children: Option<Box<Children<S::Take>>>,
    /// Of a fused stage: it has learnt that it finishes.
    pub(crate) finishes: bool,
    /// Of a fused source: how much of what it owes somebody wants.
    pub(crate) due: usize,
    /// Of a stage that works between its callbacks: something waits until it holds nothing any more.
    pub(crate) hurry: bool,
    /// Of a fused source: how many events found no room between its parts.
    pub(crate) discarded: usize,
}

impl<S: Stage<Take: Send + 'static>> Context<S> {
    /// The children of a consumer supervisor.
    pub(crate) fn children(&mut self) -> &mut Children<S::Take> {
        let options = self.this.shared().options.children;
        self.children.get_or_insert_with(|| Box::new(Children::new(options)))
    }

    /// Ends a child; what comes when it has ended.
    pub(crate) fn terminate_child(&mut self, child: ChildId) -> Result<oneshot::Receiver<()>, NoSuchChild> {
        self.children.as_mut().ok_or(NoSuchChild)?.terminate(child, self.timers.get_or_insert_default())
    }
}

impl<S: Stage> Context<S> {
    pub(crate) fn new(this: WeakAddress<S>) -> Self {
        Self {
            name: this.name().clone(),
            this,
            timers: None,
            out: Vec::new(),
            finish: false,
            stop: None,
            afterwards: Vec::new(),
            asks: Vec::new(),
            children: None,
            finishes: false,
            due: 0,
            hurry: false,
            discarded: 0,
        }
    }

    /// Whether something was said besides what was emitted.
    pub(crate) fn has_said_more(&self) -> bool {
        let Self { finish, stop, afterwards, asks, children, discarded, .. } = self;
        let is_ending = *finish || stop.is_some();
        is_ending || !afterwards.is_empty() || !asks.is_empty() || children.is_some() || *discarded > 0
    }

    /// The stage's name: its node's in `pipeline!`, with `[i]` behind it for a replica.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A handle of the stage itself, for as long as anyone else can reach it; none if nobody can, and the stage is about to
    /// end. Keeping it keeps the stage reachable. A stage cannot [`call`](StageRef::call) itself.
    pub fn this(&self) -> Option<StageRef<S>> {
        self.this.upgrade().map(StageRef::new)
    }

    /// Sends the stage a message after a time; it is handled as one that was [`cast`](StageRef::cast), and needs no room in the
    /// mailbox. Timers end with the stage.
    pub fn send_after<Msg: Send + 'static>(&mut self, after: Duration, message: Msg) -> Timer
    where
        S: Cast<Msg> + Runnable,
    {
        let this = self.this.clone();
        self.timer(async move {
            tokio::time::sleep(after).await;
            this.timer(message);
        })
    }

    /// Sends the stage a message again and again, the first after one `period`; as [`send_after`](Self::send_after). What was
    /// missed while the stage was busy is not made up for.
    ///
    /// A period of zero is taken for a millisecond.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use genstage::prelude::*;
    ///
    /// /// Counts events, and prints once a second how many there were.
    /// #[stage(consumer)]
    /// struct Meter(usize);
    ///
    /// impl Consumer for Meter {
    ///     type Event = u64;
    ///
    ///     async fn init(&mut self, cx: &mut Context<Self>) -> Result {
    ///         cx.interval(Duration::from_secs(1), Tick);
    ///         Ok(())
    ///     }
    ///
    ///     async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
    ///         self.0 += events.len();
    ///         Ok(())
    ///     }
    /// }
    ///
    /// #[derive(Clone)]
    /// struct Tick;
    ///
    /// impl Cast<Tick> for Meter {
    ///     async fn handle_cast(&mut self, _: Tick, cx: &mut Context<Self>) -> Result {
    ///         println!("{}: {} events", cx.name(), std::mem::take(&mut self.0));
    ///         Ok(())
    ///     }
    /// }
    /// # #[tokio::main]
    /// # async fn main() -> Result {
    /// # pipeline! { meter = Meter(0); from_iter(0..10) => meter; }.run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn interval<Msg: Clone + Send + 'static>(&mut self, period: Duration, message: Msg) -> Timer
    where
        S: Cast<Msg> + Runnable,
    {
        let (this, period) = (self.this.clone(), period.max(Duration::from_millis(1)));
        self.timer(async move {
            let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                this.timer(message.clone());
            }
        })
    }

    fn timer(&mut self, timer: impl Future<Output = ()> + Send + 'static) -> Timer {
        let timers = self.timers.get_or_insert_default();
        while timers.try_join_next().is_some() {}
        Timer(timers.spawn(timer))
    }

    /// Emits one event.
    ///
    /// Events leave in the order in which they are emitted, once the callback has returned; if it fails, they are lost
    /// with it. What no consumer has asked for waits in the stage's buffer.
    pub fn emit(&mut self, event: S::Emitted)
    where
        S: Emits,
    {
        self.out.push(event);
    }

    /// Emits all events of an iterator, in its order; as [`emit`](Self::emit).
    pub fn emit_all(&mut self, events: impl IntoIterator<Item = S::Emitted>)
    where
        S: Emits,
    {
        self.out.extend(events);
    }

    /// Ends the stage normally, once everything it has emitted has been sent to its consumers.
    ///
    /// No handler is called any more. In a pipeline the normal end travels on: a consumer ends when its last producer
    /// has, and a producer when its last consumer has. Events that a consumer or producer-consumer still has queued
    /// are discarded, and counted so.
    pub fn finish(&mut self) {
        self.finish = true;
    }

    /// Ends the stage with that reason, once this callback has returned and what it emitted has been sent or buffered.
    ///
    /// What is still buffered or queued then is discarded, and counted so.
    pub fn stop(&mut self, reason: Reason) {
        self.stop.get_or_insert(reason);
    }

    /// Asks a producer for `events` more, over a subscription with [`Demand::Manual`](crate::Demand::Manual).
    ///
    /// Nothing happens if the subscription has ended, or for 0 events.
    pub fn ask(&mut self, subscription: &Subscription, events: usize) {
        self.asks.push((subscription.id, events));
    }
}

/// A timer of a stage. Dropping this leaves it running.
#[derive(Debug)]
pub struct Timer(AbortHandle);

impl Timer {
    /// Stops the timer; a message that it has sent already still comes.
    pub fn cancel(&self) {
        self.0.abort();
    }
}

impl<S: Stage> fmt::Debug for Context<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("name", &self.name).finish_non_exhaustive()
    }
}
