use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Reason;
use crate::restart::{Limit, Restarts, Strategy};

/// What the stages of a running pipeline share: the signal to stop, who failed first, and when stages are begun anew.
#[derive(Default)]
pub(crate) struct Control {
    stop: CancellationToken,
    stopping: AtomicBool,
    pub(crate) failure: OnceLock<(Arc<str>, Reason)>,
    strategy: Strategy,
    restarts: Mutex<Restarts>,
    /// The stages, in the order in which they were declared.
    stages: Vec<Box<dyn Remote>>,
}

/// A stage that can be told something, after the callback that runs. One that has ended hears nothing.
pub(crate) trait Remote: Send + Sync {
    /// Its state is to be rebuilt, if that can be.
    fn rebuild(&self);

    /// It is to end when everything that is on its way to it has been handled.
    fn drain(&self);

    /// It is to end with that reason.
    fn stop(&self, reason: Reason);
}

impl Control {
    pub(crate) fn new(strategy: Strategy, limit: Limit, stages: Vec<Box<dyn Remote>>) -> Self {
        Self { strategy, restarts: Mutex::new(Restarts::new(limit)), stages, ..Self::default() }
    }

    /// All stages.
    pub(crate) fn stages(&self) -> &[Box<dyn Remote>] {
        &self.stages
    }

    /// Tells every stage to stop.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.stop.cancel();
    }

    /// A stage has ended. If it has failed, the others stop; the first failure is the pipeline's.
    pub(crate) fn ended(&self, stage: &Arc<str>, reason: &Reason) {
        if reason.is_failure() {
            self.failed(stage, reason);
        }
    }

    /// The pipeline has failed, by that stage.
    pub(crate) fn failed(&self, stage: &Arc<str>, reason: &Reason) {
        // A later failure is in its stage's summary.
        let _ = self.failure.set((stage.clone(), reason.clone()));
        self.stop();
    }

    /// A stage wants to be begun anew: how long it has to wait, or nothing if there have been too many restarts. Those that the
    /// strategy has rebuilt with it are told.
    pub(crate) fn restart(&self, stage: usize) -> Option<Duration> {
        let wait = self.restarts.lock().unwrap_or_else(PoisonError::into_inner).one_more(Instant::now())?;
        let others = self.stages.iter().enumerate().filter(|&(other, _)| match self.strategy {
            Strategy::OneForOne => false,
            Strategy::RestForOne => other > stage,
            Strategy::OneForAll => other != stage,
        });
        others.for_each(|(_, other)| other.rebuild());
        Some(wait)
    }

    /// What the future comes to, or nothing if the pipeline stops before.
    ///
    /// To be awaited by a task of its own: the token is polled at first, so that it wakes the task, and then only once it is
    /// cancelled. Polling it every time takes its lock every time, a tenth of what a small batch costs.
    pub(crate) async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut stopped) = (pin!(future), pin!(self.stop.cancelled()));
        let mut waits = false;
        poll_fn(|cx| {
            if !waits || self.stopping.load(Ordering::Acquire) {
                waits = true;
                if stopped.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
            }
            future.as_mut().poll(cx).map(Some)
        })
        .await
    }
}

/// Stops the pipeline when it is dropped.
pub(crate) struct StopOnDrop(pub(crate) Option<Arc<Control>>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(control) = &self.0 {
            control.stop();
        }
    }
}
