use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::graph::Graph;
use super::node::Launch;
use crate::control::{Control, Group, StopOnDrop};
use crate::restart::{Limit, Strategy};
use crate::summary::{StageSummary, Summary};
use crate::watch::WatchedPipeline;
use crate::{Failure, Reason, Refusal, Watch};

/// A pipeline that is declared, checked and wired, and has not been started. What [`pipeline!`](crate::pipeline!) yields.
///
/// Derefs to its handles: `app.counter` is a [`StageRef`](crate::StageRef), for a node with `replicas` an array of them
/// or a `Vec`.
#[must_use = "a pipeline does nothing until it is run or started"]
pub struct Pipeline<H = ()> {
    pub(super) handles: H,
    pub(super) stages: Vec<Box<dyn Launch>>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) strategy: Strategy,
    pub(super) limit: Limit,
    pub(super) warn_after: Option<Duration>,
    pub(super) watched: WatchedPipeline,
}

impl<H> Pipeline<H> {
    /// Takes the handles off, so that a function can return both: the pipeline has a type to name then.
    ///
    /// ```
    /// use genstage::prelude::*;
    /// use genstage::{Pipeline, StageRef};
    ///
    /// # #[stage(producer)]
    /// # struct Numbers;
    /// # impl Producer for Numbers {
    /// #     type Event = u64;
    /// #     async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result { cx.finish(); Ok(()) }
    /// # }
    /// fn printing() -> (Pipeline, StageRef<Numbers>) {
    ///     let (pipeline, handles) = pipeline! {
    ///         numbers = Numbers;
    ///         numbers => for_each(|n: u64| println!("{n}"));
    ///     }
    ///     .into_parts();
    ///     (pipeline, handles.numbers)
    /// }
    /// # let _ = printing();
    /// ```
    pub fn into_parts(self) -> (Pipeline, H) {
        let Self { handles, stages, refusals, strategy, limit, warn_after, watched } = self;
        (Pipeline { handles: (), stages, refusals, strategy, limit, warn_after, watched }, handles)
    }

    /// The topology: nodes and edges with their options.
    pub fn graph(&self) -> &Graph {
        &self.watched.graph
    }

    /// Starts all stages, each in a task of its own, and returns at once.
    ///
    /// Every edge is wired before the first stage runs: no consumer misses the first events.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use genstage::prelude::*;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result {
    /// let running = pipeline! {
    ///     numbers = from_iter(0..);
    ///     numbers => for_each(|n: u64| drop(n));
    /// }
    /// .start()?;
    /// println!("{} is running", running.numbers.name());
    /// let summary = running.drain_within(Duration::from_secs(10)).await?;
    /// println!("{summary}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] if options make no sense together (each with its edge or node), [`Failure::NoRuntime`]
    /// outside a tokio runtime. Nothing has been started then.
    pub fn start(mut self) -> Result<Running<H>, Failure> {
        if !self.refusals.is_empty() {
            return Err(Failure::Refused(self.refusals));
        }
        let runtime = Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        let group = Group::new(self.strategy, self.limit);
        for (number, stage) in self.stages.iter_mut().enumerate() {
            group.join(number, stage.number(number));
        }
        let control = Arc::new(Control::of_all(group));
        let launch = |stage: Box<dyn Launch>| {
            let name = stage.name().clone();
            Task { name, handle: stage.launch(&runtime, &control), summary: None }
        };
        let tasks = self.stages.into_iter().map(launch).collect();
        let guard = StopOnDrop(Some(control.clone()));
        if let Some(limit) = self.warn_after {
            runtime.spawn(self.watched.clone().watch_out(limit));
        }
        Ok(Running { handles: self.handles, tasks, control, guard, watched: self.watched })
    }

    /// Starts the pipeline and waits until all its stages have ended; what each of them did.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and [`Failure::Stage`] with the first stage that failed and why: the others have been
    /// stopped then.
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops the pipeline, as dropping a [`Running`] one does.
    pub async fn run(self) -> Result<Summary, Failure> {
        // Without handles a stage that nobody can reach any more is free to end.
        let (pipeline, _) = self.into_parts();
        pipeline.start()?.join().await
    }

    /// Starts the pipeline and waits until all its stages have ended, or until the signal comes: then it is
    /// [drained](Running::drain). What the signal comes to is not looked at.
    ///
    /// ```no_run
    /// use genstage::prelude::*;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result {
    /// let summary = pipeline! {
    ///     from_iter(0..) => for_each(|n| println!("{n}"));
    /// }
    /// .run_until(tokio::signal::ctrl_c())
    /// .await?;
    /// println!("{summary}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Cancellation
    ///
    /// As [`run`](Self::run).
    pub async fn run_until(self, signal: impl Future) -> Result<Summary, Failure> {
        let (pipeline, _) = self.into_parts();
        let mut running = pipeline.start()?;
        tokio::select! {
            () = running.ended() => running.join().await,
            _ = signal => running.drain().await,
        }
    }
}

impl<H> Deref for Pipeline<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.handles
    }
}

impl<H> fmt::Debug for Pipeline<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.stages.iter().map(|stage| stage.name()).collect();
        f.debug_struct("Pipeline").field("stages", &names).finish_non_exhaustive()
    }
}

/// A pipeline whose stages are running. Derefs to its handles, as [`Pipeline`] does.
///
/// Dropping it signals every stage to stop: a callback that waits is dropped at its `await`, then the stage's
/// `terminate` runs with [`Reason::Shutdown`](crate::Reason::Shutdown). The tasks are gone once the tokio runtime has
/// run them that far; nothing interrupts a `terminate`, so one that never returns keeps its task.
#[must_use = "dropping a running pipeline stops it"]
pub struct Running<H = ()> {
    handles: H,
    tasks: Vec<Task>,
    control: Arc<Control>,
    guard: StopOnDrop,
    watched: WatchedPipeline,
}

struct Task {
    name: Arc<str>,
    handle: JoinHandle<StageSummary>,
    /// What it did, once it has ended.
    summary: Option<StageSummary>,
}

impl<H> Running<H> {
    /// Waits until all stages have ended; what each of them did.
    ///
    /// # Errors
    ///
    /// [`Failure::Stage`] with the first stage that failed and why: the others have been stopped then.
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops the pipeline.
    pub async fn join(self) -> Result<Summary, Failure> {
        let mut running = self.without_handles();
        running.ended().await;
        running.sum_up()
    }

    /// Ends the pipeline without losing anything: producers stop, what they have emitted is handled, and each stage ends when the
    /// last of those before it has. What each of them did.
    ///
    /// A producer finishes at once, unless its [`on_drain`](crate::Producer::on_drain) does otherwise. Demand that is accumulated
    /// is forwarded. Messages that reach a stage after it has finished are dropped. Stages outside of the pipeline are told
    /// nothing: one that feeds a stage of the pipeline, or holds up what a stage has for it, is waited for.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join).
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops the pipeline.
    pub async fn drain(self) -> Result<Summary, Failure> {
        self.control.group.tell_all(|stage| stage.drain());
        self.join().await
    }

    /// As [`drain`](Self::drain), but for no longer than that: what is left then is aborted, as by [`abort`](Self::abort).
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join), and [`Failure::CutOff`] with the stages that had not ended in time, and how many events each of them
    /// discarded or lost.
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops the pipeline.
    pub async fn drain_within(self, time: Duration) -> Result<Summary, Failure> {
        let mut running = self.without_handles();
        running.control.group.tell_all(|stage| stage.drain());
        if timeout(time, running.ended()).await.is_ok() {
            return running.sum_up();
        }
        let late = running.tasks.iter().filter(|task| task.summary.is_none() && !task.handle.is_finished());
        let stages: Vec<_> = late.map(|task| task.name.clone()).collect();
        running.control.stop();
        running.ended().await;
        let summary = running.sum_up()?;
        match stages.is_empty() {
            true => Ok(summary),
            false => Err(Failure::CutOff { time, stages, summary }),
        }
    }

    /// Ends every stage with that reason, after the message that it is at; what is queued or buffered is discarded, and counted.
    /// What each of them did.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join); a reason that is a failure is one of the first stage that ends with it.
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops the pipeline at once.
    pub async fn stop(self, reason: Reason) -> Result<Summary, Failure> {
        self.control.group.tell_all(|stage| stage.stop(reason.clone()));
        self.join().await
    }

    /// Ends every stage at once, as dropping the pipeline does, and waits until all have ended: a callback that waits is dropped at
    /// its `await`. What each of them did.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join), if a stage had failed before.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing: the stages end.
    pub async fn abort(self) -> Result<Summary, Failure> {
        self.control.stop();
        self.join().await
    }

    /// The topology, as it was declared.
    pub fn graph(&self) -> &Graph {
        &self.watched.graph
    }

    /// Looks at what the stages and edges do, now and later.
    pub fn watch(&self) -> Watch {
        Watch::new(self.watched.clone())
    }

    /// Lets the stages run on by themselves; dropping nothing stops them any more, and how they end is in the trace only. They end as stages that
    /// were spawned do, so keep the handles.
    pub fn detach(mut self) -> H {
        self.guard.0 = None;
        self.handles
    }

    /// The rest: a stage that nobody can reach any more is free to end.
    fn without_handles(self) -> Running {
        let Self { tasks, control, guard, watched, .. } = self;
        Running { handles: (), tasks, control, guard, watched }
    }

    /// Waits until all stages have ended. Cancellation safe.
    async fn ended(&mut self) {
        for task in &mut self.tasks {
            task.ended(&self.control).await;
        }
    }

    /// What all stages did that have ended.
    fn sum_up(self) -> Result<Summary, Failure> {
        let stages = self.tasks.into_iter().filter_map(|task| task.summary);
        let summary = Summary::new(stages.collect());
        match self.control.group.failure() {
            None => Ok(summary),
            Some((stage, reason)) => {
                Err(Failure::Stage { stage: stage.clone(), reason: reason.clone(), summary })
            }
        }
    }
}

impl Task {
    /// Waits for its end. Cancellation safe.
    async fn ended(&mut self, control: &Control) {
        if self.summary.is_some() {
            return;
        }
        self.summary = Some(match (&mut self.handle).await {
            Ok(summary) => summary,
            // The shell catches the panics of callbacks; this one came from a destructor, or the runtime is going.
            Err(error) => {
                let reason = match error.try_into_panic() {
                    Ok(payload) => Reason::from_panic(&*payload),
                    Err(_) => Reason::Killed,
                };
                control.ended(&self.name, &reason);
                StageSummary::unknown(self.name.clone(), reason)
            }
        });
    }
}

impl<H> Deref for Running<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.handles
    }
}

impl<H> fmt::Debug for Running<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.tasks.iter().map(|task| &task.name).collect();
        f.debug_struct("Running").field("stages", &names).finish_non_exhaustive()
    }
}
