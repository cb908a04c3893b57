//! The children of a consumer supervisor: one task for each event.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::sync::oneshot;
use tokio::task::{self, AbortHandle, JoinError, JoinSet, consume_budget};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::restart::{Limit, Restarts};
use crate::role::{ConsumerSupervisor, Stage};
use crate::subscription::SubscriptionId;
use crate::telemetry;
use crate::{Reason, Result};

/// Names one child of a supervisor, unlike any other of it; a child that is begun anew keeps its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildId(usize);

impl ChildId {
    pub(crate) fn new(number: usize) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> usize {
        self.0
    }
}

/// How a supervisor ends a child that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Drops it at its next `await`.
    Abort,
    /// Asks it to end, through its [`Stopping`], and drops it if it has not by then.
    After(Duration),
    /// Asks it to end, and waits however long that takes.
    Unbounded,
}

impl Default for Shutdown {
    /// After five seconds, as in GenStage.
    fn default() -> Self {
        Self::After(Duration::from_secs(5))
    }
}

/// What [`start_child`](crate::ConsumerSupervisor::start_child) learns of the child that it is to start.
#[derive(Debug)]
pub struct Child {
    id: ChildId,
    stopping: OnceCell<CancellationToken>,
}

impl Child {
    /// The child's name.
    #[must_use]
    pub fn id(&self) -> ChildId {
        self.id
    }

    /// What tells the child that it is to end. A child that has not taken it cannot be asked: it is dropped at its next `await`.
    pub fn stopping(&self) -> Stopping {
        Stopping(self.stopping.get_or_init(CancellationToken::new).clone())
    }
}

/// Tells a child that it is to end: of a [`ConsumerSupervisor`](crate::ConsumerSupervisor), or a task of a [`Supervisor`](crate::Supervisor).
///
/// ```
/// use genstage::prelude::*;
/// use genstage::Child;
///
/// /// A connection for every address, until it is closed or the pipeline stops.
/// #[stage(consumer_supervisor, max_demand = 100)]
/// struct Connections;
///
/// impl ConsumerSupervisor for Connections {
///     type Event = String;
///
///     fn start_child(&mut self, address: String, child: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
///         let stopping = child.stopping();
///         Ok(async move {
///             tokio::select! {
///                 result = serve(&address) => result,
///                 () = stopping.requested() => Ok(println!("{address}: goodbye")),
///             }
///         })
///     }
/// }
/// # async fn serve(_: &str) -> Result { Ok(()) }
/// # #[tokio::main]
/// # async fn main() -> Result {
/// # let addresses = ["a", "b"].map(String::from);
/// # pipeline! { connections = Connections; from_iter(addresses) => connections; }.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Stopping(CancellationToken);

impl Stopping {
    pub(crate) fn new(token: CancellationToken) -> Self {
        Self(token)
    }

    /// Waits until it is to. Cancellation safe.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// Whether it is to.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// What [`start_child`](crate::ConsumerSupervisor::start_child) fails with to have no child for an event, without that being a
/// failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no child for this event")]
pub struct Ignore;

/// There is no child of that name, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such child")]
pub struct NoSuchChild;

/// How many children a supervisor has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChildCount {
    /// All, also those whose restart has failed and is tried again.
    pub workers: usize,
    /// Those that run.
    pub active: usize,
}

/// One child of a supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildInfo {
    /// Its name.
    pub id: ChildId,
    /// Whether it runs; otherwise its restart has failed and is tried again.
    pub runs: bool,
}

/// How children are ended, and how often they may be begun anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChildOptions {
    pub(crate) shutdown: Shutdown,
    pub(crate) limit: Limit,
}

impl ChildOptions {
    pub(crate) const DEFAULT: Self =
        Self { shutdown: Shutdown::After(Duration::from_secs(5)), limit: Limit::DEFAULT };
}

/// All children.
pub(crate) struct Children<E> {
    tasks: JoinSet<Result>,
    running: FxHashMap<task::Id, Running<E>>,
    /// Those whose restart has failed, and why.
    waiting: VecDeque<(Origin<E>, Reason)>,
    next: usize,
    /// Since children have last ended, or events come, others have had their turn.
    gave_way: bool,
    shutdown: Shutdown,
    restarts: Restarts,
    /// The subscription of the events that are being handled.
    pub(crate) slot: Option<SubscriptionId>,
    /// Subscriptions over which one more event may come, for each.
    pub(crate) freed: Vec<SubscriptionId>,
    /// Events whose child failed, or could not be started.
    pub(crate) lost: usize,
    /// The failure that was one too many.
    pub(crate) cause: Option<Reason>,
}

/// A stage whose children these can be.
pub(crate) trait Supervises<E>: ConsumerSupervisor<Event = E> + Stage<Take = E> {}

impl<S: ConsumerSupervisor<Event = E> + Stage<Take = E>, E> Supervises<E> for S {}

/// Where a child comes from.
struct Origin<E> {
    id: ChildId,
    /// The subscription that it holds a slot of.
    slot: Option<SubscriptionId>,
    /// Its event, if it may be begun anew.
    event: Option<E>,
}

/// A child that runs.
struct Running<E> {
    origin: Origin<E>,
    abort: AbortHandle,
    stopping: Option<CancellationToken>,
    /// Whoever waits for its end.
    terminated: Option<oneshot::Sender<()>>,
}

impl<E> Running<E> {
    /// Has it end: drops it if it cannot be asked to.
    fn ask_to_stop(&self) {
        match &self.stopping {
            Some(stopping) => stopping.cancel(),
            None => self.abort.abort(),
        }
    }
}

impl<E: Send + 'static> Children<E> {
    pub(crate) fn new(options: ChildOptions) -> Self {
        Self {
            tasks: JoinSet::new(),
            running: FxHashMap::default(),
            waiting: VecDeque::new(),
            next: 0,
            gave_way: false,
            shutdown: options.shutdown,
            restarts: Restarts::new(options.limit),
            slot: None,
            freed: Vec::new(),
            lost: 0,
            cause: None,
        }
    }

    pub(crate) fn count(&self) -> ChildCount {
        let active = self.running.len();
        ChildCount { workers: active + self.waiting.len(), active }
    }

    /// All children, the oldest first.
    pub(crate) fn which(&self) -> Vec<ChildInfo> {
        let running = self.running.values().map(|child| ChildInfo { id: child.origin.id, runs: true });
        let waiting = self.waiting.iter().map(|(origin, _)| ChildInfo { id: origin.id, runs: false });
        let mut all: Vec<_> = running.chain(waiting).collect();
        all.sort_by_key(|child| child.id);
        all
    }

    /// Starts the child of an event that came over the present subscription. One that cannot be started gives its slot back.
    pub(crate) fn take<S: Supervises<E>>(&mut self, stage: &mut S, event: E) {
        self.gave_way = false;
        if let Err(reason) = self.start(stage, event, self.slot) {
            self.freed.extend(self.slot);
            self.fell(&reason);
        }
    }

    /// Starts a new child.
    pub(crate) fn start<S: Supervises<E>>(
        &mut self,
        stage: &mut S,
        event: E,
        slot: Option<SubscriptionId>,
    ) -> Result<ChildId, Reason> {
        let id = ChildId(self.next);
        self.next += 1;
        let origin = Origin { id, slot, event: copy::<S, E>(&event)? };
        self.launch(stage, event, origin).map(|()| id).map_err(|(_, reason)| reason)
    }

    fn launch<S: Supervises<E>>(
        &mut self,
        stage: &mut S,
        event: E,
        origin: Origin<E>,
    ) -> Result<(), (Origin<E>, Reason)> {
        let child = Child { id: origin.id, stopping: OnceCell::new() };
        let future = match catch_unwind(AssertUnwindSafe(|| stage.start_child(event, &child))) {
            Ok(Ok(future)) => future,
            Ok(Err(error)) => return Err((origin, Reason::from(error))),
            Err(payload) => return Err((origin, Reason::from_panic(&*payload))),
        };
        let (abort, stopping) = (self.tasks.spawn(future), child.stopping.into_inner());
        self.running.insert(abort.id(), Running { origin, abort, stopping, terminated: None });
        Ok(())
    }

    /// Waits for the next things that happen to children, and does what is due then. Cancellation safe.
    pub(crate) async fn turn<S: Supervises<E>>(&mut self, stage: &mut S) {
        if !self.waiting.is_empty() {
            // A start that fails again and again is not to keep others from running, or from ending.
            consume_budget().await;
            if let Some((origin, reason)) = self.waiting.pop_front() {
                self.begin_anew(stage, origin, reason);
            }
        } else {
            // Others first, so that many have ended by then: to be woken by each costs more than it does. But once only, or whoever
            // always has another message would keep it from hearing of any.
            if !std::mem::replace(&mut self.gave_way, true) {
                task::yield_now().await;
            }
            match self.tasks.join_next_with_id().await {
                Some(ended) => self.ended(stage, ended),
                None => std::future::pending().await,
            }
            self.gave_way = false;
        }
        // And all others that have, until there is a reason to end. Not more than there are now: one that is begun anew may end
        // at once.
        for _ in 0..self.running.len() {
            if self.cause.is_some() {
                return;
            }
            let Some(ended) = self.tasks.try_join_next_with_id() else { return };
            self.ended(stage, ended);
        }
    }

    fn ended<S: Supervises<E>>(&mut self, stage: &mut S, ended: Result<(task::Id, Result), JoinError>) {
        let (id, failed) = match ended {
            Ok((id, returned)) => (id, returned.err().map(Reason::from)),
            Err(error) => (error.id(), Some(reason_of(error))),
        };
        let Some(Running { origin, terminated, .. }) = self.running.remove(&id) else { return };
        match (terminated, failed) {
            (Some(terminated), _) => {
                self.freed.extend(origin.slot);
                // Whoever asked for it may have gone.
                let _ = terminated.send(());
            }
            (None, None) => self.freed.extend(origin.slot),
            (None, Some(reason)) if origin.event.is_some() => self.begin_anew(stage, origin, reason),
            (None, Some(reason)) => {
                self.freed.extend(origin.slot);
                self.fell(&reason);
            }
        }
    }

    /// Begins a child anew; one whose start fails keeps its slot, and is tried again. One restart too many is the end of all.
    fn begin_anew<S: Supervises<E>>(&mut self, stage: &mut S, origin: Origin<E>, reason: Reason) {
        if self.restarts.one_more(Instant::now()).is_none() {
            self.cause = Some(reason.clone());
            self.waiting.push_back((origin, reason));
            return;
        }
        let launched = match origin.event.as_ref().map_or(Ok(None), copy::<S, E>) {
            Ok(Some(event)) => self.launch(stage, event, origin),
            Ok(None) => return,
            Err(failed) => Err((origin, failed)),
        };
        if let Err((origin, reason)) = launched {
            match is_ignored(&reason) {
                true => self.freed.extend(origin.slot),
                false => self.waiting.push_back((origin, reason)),
            }
        }
    }

    /// A child has failed for good, or could not be started.
    fn fell(&mut self, reason: &Reason) {
        if !is_ignored(reason) {
            self.lost += 1;
            telemetry::child_of_event_failed(reason);
        }
    }

    /// Ends a child; what is sent when it has ended. A child that has to be dropped after a time is given to `timers`.
    pub(crate) fn terminate(
        &mut self,
        id: ChildId,
        timers: &mut JoinSet<()>,
    ) -> Result<oneshot::Receiver<()>, NoSuchChild> {
        let (sender, ended) = oneshot::channel();
        if let Some(index) = self.waiting.iter().position(|(origin, _)| origin.id == id) {
            if let Some((origin, _)) = self.waiting.remove(index) {
                self.freed.extend(origin.slot);
            }
            let _ = sender.send(());
            return Ok(ended);
        }
        let child =
            self.running.values_mut().find(|child| child.origin.id == id && child.terminated.is_none());
        let child = child.ok_or(NoSuchChild)?;
        child.terminated = Some(sender);
        match self.shutdown {
            Shutdown::Abort => child.abort.abort(),
            Shutdown::Unbounded => child.ask_to_stop(),
            Shutdown::After(time) => {
                child.ask_to_stop();
                let abort = child.abort.clone();
                timers.spawn(async move {
                    tokio::time::sleep(time).await;
                    abort.abort();
                });
            }
        }
        Ok(ended)
    }

    /// Ends all children, and waits until they have ended. Whoever fails in that, or is dropped, is lost.
    pub(crate) async fn shut_down(&mut self) {
        self.lost += self.waiting.len();
        self.waiting.clear();
        match self.shutdown {
            Shutdown::Abort => self.tasks.abort_all(),
            Shutdown::After(time) => {
                self.running.values().for_each(Running::ask_to_stop);
                let _ = timeout(time, self.all_ended()).await;
                self.tasks.abort_all();
            }
            Shutdown::Unbounded => self.running.values().for_each(Running::ask_to_stop),
        }
        self.all_ended().await;
    }

    async fn all_ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            self.lost += usize::from(!matches!(ended, Ok(Ok(()))));
        }
    }
}

/// Events of which a consumer supervisor keeps copies.
#[diagnostic::on_unimplemented(
    message = "a child of `{Self}` is to be begun anew, but `{Self}` is not `Clone`",
    label = "`transient` children need a copy of their event",
    note = "derive `Clone` for it, take `Arc<{Self}>`, or leave the children `temporary`"
)]
pub trait Kept: Sized {
    /// The copy.
    fn kept(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Kept for T {
    fn kept(&self) -> Self {
        self.clone()
    }
}

/// Copies an event for a child that may be begun anew. A panic of its `Clone` is that child's affair.
fn copy<S: Supervises<E>, E>(event: &E) -> Result<Option<E>, Reason> {
    catch_unwind(AssertUnwindSafe(|| S::keep(event))).map_err(|payload| Reason::from_panic(&*payload))
}

/// Copies an event.
pub fn keep<T: Kept>(event: &T) -> T {
    event.kept()
}

fn is_ignored(reason: &Reason) -> bool {
    matches!(reason, Reason::Error(error) if error.is::<Ignore>())
}

fn reason_of(error: JoinError) -> Reason {
    match error.try_into_panic() {
        Ok(payload) => Reason::from_panic(&*payload),
        Err(_) => Reason::Killed,
    }
}
