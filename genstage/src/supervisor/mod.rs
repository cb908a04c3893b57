//! Supervisors: children of any kind, started and stopped at run time.

mod actor;
mod task;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{SetOnce, oneshot};

use crate::children::{ChildId, NoSuchChild, Shutdown, Stopping};
use crate::control::{Control, Group};
use crate::restart::{Limit, Restart, Strategy};
use crate::role::Runnable;
use crate::task::{Recipe, Restartable, Shell, StageRef, mailbox};
use crate::{Reason, Result};
use actor::{Actor, Command, Entry};
use task::SupervisedTask;

/// Starts children, begins those anew that fail, and ends them in order: GenStage's `DynamicSupervisor`.
///
/// Children are stages of any type, and plain async closures. They are begun anew as their [`ChildSpec`] says: a stage in place, so
/// that its handle stays valid; a closure by calling it again. One restart more than `max_restarts` within `within`, and all
/// children are ended. The last started is ended first, and only when it has ended the one before.
///
/// Cheap to clone. When the last clone is dropped, the children are ended.
///
/// ```
/// use genstage::prelude::*;
/// use genstage::{ChildSpec, Restart, Supervisor};
///
/// # #[stage(producer)]
/// # struct Counter { next: u64 }
/// # impl Producer for Counter {
/// #     type Event = u64;
/// #     async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
/// #         cx.emit_all(self.next..self.next + demand as u64);
/// #         self.next += demand as u64;
/// #         Ok(())
/// #     }
/// # }
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let supervisor = Supervisor::builder().max_restarts(10).start();
///
/// let spec = ChildSpec::new("counter").restart(Restart::OnFailure);
/// let (_, counter) = supervisor.start_stage(spec, || Counter { next: 0 }).await?;
///
/// let task = supervisor
///     .start_task(ChildSpec::new("poller"), |stopping| async move {
///         stopping.requested().await;
///         Ok(())
///     })
///     .await?;
///
/// assert_eq!(supervisor.count_children().await, 2);
/// supervisor.terminate_child(task).await?;
/// supervisor.stop().await?;
/// assert!(counter.has_ended());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Supervisor {
    commands: UnboundedSender<Command>,
    shared: Arc<Shared>,
}

struct Shared {
    group: Arc<Group>,
    next: AtomicUsize,
    ended: SetOnce<Result<(), GaveUp>>,
}

/// How a supervisor begins its children anew; from [`Supervisor::builder`].
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is supervised before `start`"]
pub struct SupervisorBuilder {
    strategy: Strategy,
    limit: Limit,
    max_children: usize,
}

/// What a supervisor is to do with a child: its name, when it is begun anew, and how it is ended.
#[derive(Clone, Debug)]
pub struct ChildSpec {
    name: Arc<str>,
    restart: Restart,
    shutdown: Shutdown,
}

/// A child of a [`Supervisor`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SupervisedChild {
    /// Names it.
    pub id: ChildId,
    /// What its [`ChildSpec`] calls it.
    pub name: Arc<str>,
}

/// There have been too many restarts.
#[derive(Clone, Debug, thiserror::Error)]
#[error("child `{child}` failed once too often: {reason}")]
#[non_exhaustive]
pub struct GaveUp {
    /// The name of the child that failed last.
    pub child: Arc<str>,
    /// Why it did.
    pub reason: Reason,
}

/// Why a supervisor did not start a child.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuperviseError {
    /// The supervisor has ended, or is about to.
    #[error("the supervisor has ended")]
    Ended,
    /// It has as many children as it may.
    #[error("the supervisor has {0} children, and may have no more")]
    Full(usize),
    /// The closure that makes the stage panicked.
    #[error("the child was not started: {0}")]
    Failed(Reason),
}

impl ChildSpec {
    /// A child of that name, which need not be unique. It is not begun anew, and has five seconds to end.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), restart: Restart::Never, shutdown: Shutdown::default() }
    }

    /// When the child is begun anew.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// How the child is ended.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }
}

impl SupervisorBuilder {
    /// Whose state is rebuilt when a child fails: that of children started after it, or of all, too, as far as those may be begun
    /// anew. [`Strategy::OneForOne`] where nothing is stated.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// How many restarts there may be [within](Self::within) a time, of all children together; 3.
    pub fn max_restarts(mut self, restarts: usize) -> Self {
        self.limit.max_restarts = restarts;
        self
    }

    /// The time for which a restart counts; five seconds.
    pub fn within(mut self, within: Duration) -> Self {
        self.limit.within = within;
        self
    }

    /// How long to wait before a restart, twice as long for each further one within the same time; not at all.
    pub fn backoff(mut self, backoff: Duration) -> Self {
        self.limit.backoff = backoff;
        self
    }

    /// How many children there may be at a time; without limit.
    pub fn max_children(mut self, children: usize) -> Self {
        self.max_children = children;
        self
    }

    /// Starts the supervisor, in a task of its own.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    #[must_use = "dropping it ends its children"]
    pub fn start(self) -> Supervisor {
        let (commands, receiver) = unbounded_channel();
        let group = Arc::new(Group::new(self.strategy, self.limit));
        let shared = Arc::new(Shared { group, next: AtomicUsize::new(0), ended: SetOnce::new() });
        tokio::spawn(Actor::new(receiver, shared.clone(), self.max_children).run());
        Supervisor { commands, shared }
    }
}

impl Supervisor {
    /// What to state before it is started.
    pub fn builder() -> SupervisorBuilder {
        let (strategy, limit) = Default::default();
        SupervisorBuilder { strategy, limit, max_children: usize::MAX }
    }

    /// Starts a stage. The closure makes its state, now and whenever it is begun anew.
    ///
    /// # Errors
    ///
    /// [`SuperviseError`], and nothing has been started. A failing `init` is a failure of the child.
    ///
    /// # Cancellation
    ///
    /// Dropping the future, once it has been polled, may leave the child started.
    pub async fn start_stage<S: Runnable>(
        &self,
        spec: ChildSpec,
        make: impl FnMut() -> S + Send + 'static,
    ) -> Result<(ChildId, StageRef<S>), SuperviseError> {
        let recipe = Recipe::new(spec.restart, make);
        let state = catch_unwind(AssertUnwindSafe(|| recipe.make()))
            .map_err(|payload| SuperviseError::Failed(Reason::from_panic(&*payload)))?;
        let (number, control) = self.next();
        let (address, mailbox) = mailbox(spec.name.clone(), state.options());
        let mut shell = Shell::new(state, mailbox, address.downgrade(), Some(Restartable::new(recipe)));
        let remote = shell.number(number);
        let stage = StageRef::new(address);
        let run = Box::new(shell).run(control.clone());
        let entry = Entry::new(spec, remote, control);
        self.start(number, entry, Box::pin(async { drop(run.await) })).await?;
        Ok((ChildId::new(number), stage))
    }

    /// Starts a task: the future that the closure makes, now and whenever it is begun anew. It has failed if that returns an error
    /// or panics. It learns by its [`Stopping`] that it is to end; if it does not, it is dropped when its time is up.
    ///
    /// # Errors
    ///
    /// [`SuperviseError`], and nothing has been started. A panic of the closure is a failure of the child.
    ///
    /// # Cancellation
    ///
    /// Dropping the future, once it has been polled, may leave the child started.
    pub async fn start_task<F, T>(&self, spec: ChildSpec, make: F) -> Result<ChildId, SuperviseError>
    where
        F: FnMut(Stopping) -> T + Send + 'static,
        T: Future<Output = Result> + Send + 'static,
    {
        let (number, control) = self.next();
        let task = Arc::new(SupervisedTask::new(number, &spec, control.clone()));
        let entry = Entry::new(spec, task.clone(), control);
        self.start(number, entry, Box::pin(async move { task.run(make).await })).await?;
        Ok(ChildId::new(number))
    }

    /// Ends a child, as its [`ChildSpec`] says, and waits until it has ended. Dropping the future does not take the request back.
    ///
    /// # Errors
    ///
    /// [`NoSuchChild`] if there is none of that name, or not any more.
    pub async fn terminate_child(&self, child: ChildId) -> Result<(), NoSuchChild> {
        self.ask(|reply| Command::Terminate(child.number(), reply)).await.ok_or(NoSuchChild)
    }

    /// All children, the oldest first; none if the supervisor has ended. Cancellation safe.
    pub async fn which_children(&self) -> Vec<SupervisedChild> {
        self.ask(Command::Which).await.unwrap_or_default()
    }

    /// How many children there are. Cancellation safe.
    pub async fn count_children(&self) -> usize {
        self.which_children().await.len()
    }

    /// Ends all children, the last started first, and waits until they have ended. Dropping the future does not take the request back.
    ///
    /// # Errors
    ///
    /// [`GaveUp`] if there had been too many restarts before.
    pub async fn stop(&self) -> Result<(), GaveUp> {
        // One that has ended needs no telling.
        let _ = self.commands.send(Command::Stop);
        self.ended().await
    }

    /// Waits until the supervisor has ended, and all its children with it. Cancellation safe.
    ///
    /// # Errors
    ///
    /// [`GaveUp`] if there were too many restarts.
    pub async fn ended(&self) -> Result<(), GaveUp> {
        self.shared.ended.wait().await.clone()
    }

    /// A child's number, and its signal to stop.
    fn next(&self) -> (usize, Arc<Control>) {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        (number, Arc::new(Control::of_child(self.shared.group.clone())))
    }

    async fn start(&self, number: usize, entry: Entry, run: Run) -> Result<(), SuperviseError> {
        self.ask(|reply| Command::Start { number, entry, run, reply })
            .await
            .unwrap_or(Err(SuperviseError::Ended))
    }

    /// Sends a command and waits for the answer; none if the supervisor has ended.
    async fn ask<R>(&self, command: impl FnOnce(oneshot::Sender<R>) -> Command) -> Option<R> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).ok()?;
        answer.await.ok()
    }
}

/// What a child does until it has ended for good.
type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").finish_non_exhaustive()
    }
}
