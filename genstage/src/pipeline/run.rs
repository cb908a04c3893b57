use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::node::Launch;
use crate::control::{Control, StopOnDrop};
use crate::restart::{Limit, Strategy};
use crate::summary::{StageSummary, Summary};
use crate::{Failure, Reason, Refusal};

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
        let Self { handles, stages, refusals, strategy, limit } = self;
        (Pipeline { handles: (), stages, refusals, strategy, limit }, handles)
    }

    /// Starts all stages, each in a task of its own, and returns at once.
    ///
    /// Every edge is wired before the first stage runs: no consumer misses the first events.
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
        let rebuild =
            self.stages.iter_mut().enumerate().map(|(number, stage)| stage.number(number)).collect();
        let control = Arc::new(Control::new(self.strategy, self.limit, rebuild));
        let launch = |stage: Box<dyn Launch>| {
            let name = stage.name().clone();
            Task { name, handle: stage.launch(&runtime, &control) }
        };
        let tasks = self.stages.into_iter().map(launch).collect();
        let guard = StopOnDrop(Some(control.clone()));
        Ok(Running { handles: self.handles, tasks, control, guard })
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
}

struct Task {
    name: Arc<str>,
    handle: JoinHandle<StageSummary>,
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
        let Self { handles, tasks, control, guard } = self;
        drop(handles);
        let mut stages = Vec::with_capacity(tasks.len());
        for task in tasks {
            stages.push(task.join(&control).await);
        }
        drop(guard);
        let summary = Summary::new(stages);
        match control.failure.get() {
            None => Ok(summary),
            Some((stage, reason)) => {
                Err(Failure::Stage { stage: stage.clone(), reason: reason.clone(), summary })
            }
        }
    }

    /// Lets the stages run on by themselves; dropping nothing stops them any more.
    pub fn detach(mut self) -> H {
        self.guard.0 = None;
        self.handles
    }
}

impl Task {
    async fn join(self, control: &Control) -> StageSummary {
        match self.handle.await {
            Ok(summary) => summary,
            // The shell catches the panics of callbacks; this one came from a destructor, or the runtime is going.
            Err(error) => {
                let reason = match error.try_into_panic() {
                    Ok(payload) => Reason::from_panic(&*payload),
                    Err(_) => Reason::Killed,
                };
                control.ended(&self.name, &reason);
                StageSummary::unknown(self.name, reason)
            }
        }
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
