use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use tokio_util::sync::CancellationToken;

use crate::Reason;

/// What the stages of a running pipeline share: the signal to stop, and who failed first.
#[derive(Debug, Default)]
pub(crate) struct Control {
    stop: CancellationToken,
    stopping: AtomicBool,
    pub(crate) failure: OnceLock<(Arc<str>, Reason)>,
}

impl Control {
    /// Tells every stage to stop.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.stop.cancel();
    }

    /// A stage has ended. If it has failed, the others stop; the first failure is the pipeline's.
    pub(crate) fn ended(&self, stage: &Arc<str>, reason: &Reason) {
        if reason.is_failure() {
            // A later failure is in its stage's summary.
            let _ = self.failure.set((stage.clone(), reason.clone()));
            self.stop();
        }
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
#[derive(Debug)]
pub(crate) struct StopOnDrop(pub(crate) Option<Arc<Control>>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(control) = &self.0 {
            control.stop();
        }
    }
}
