use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::SetOnce;
use tokio::time::Instant;

use crate::Reason;
use crate::restart::{Limit, Restarts, Strategy};

/// What the stages of a pipeline, or the children of a supervisor, share: when they are begun anew, and who failed for all.
#[derive(Default)]
pub(crate) struct Group {
    strategy: Strategy,
    restarts: Mutex<Restarts>,
    /// In the order in which they were declared, or started.
    members: Mutex<BTreeMap<usize, Arc<dyn Remote>>>,
    failure: SetOnce<(Arc<str>, Reason)>,
}

/// A member that can be told something, after the callback that runs. One that has ended hears nothing.
pub(crate) trait Remote: Send + Sync {
    /// Its state is to be rebuilt, if that can be.
    fn rebuild(&self);

    /// It is to end when everything that is on its way to it has been handled.
    fn drain(&self);

    /// It is to end with that reason.
    fn stop(&self, reason: Reason);
}

impl Group {
    pub(crate) fn new(strategy: Strategy, limit: Limit) -> Self {
        Self { strategy, restarts: Mutex::new(Restarts::new(limit)), ..Self::default() }
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<dyn Remote>>> {
        self.members.lock()
    }

    pub(crate) fn join(&self, number: usize, member: Arc<dyn Remote>) {
        self.members().insert(number, member);
    }

    pub(crate) fn leave(&self, number: usize) {
        self.members().remove(&number);
    }

    /// Those of the present members. They are told things while others may come and go: no lock is held then.
    fn select(&self, wanted: impl Fn(usize) -> bool) -> Vec<Arc<dyn Remote>> {
        let members = self.members();
        members.iter().filter(|&(&number, _)| wanted(number)).map(|(_, member)| member.clone()).collect()
    }

    pub(crate) fn tell_all(&self, what: impl Fn(&dyn Remote)) {
        self.select(|_| true).iter().for_each(|member| what(&**member));
    }

    /// A member wants to be begun anew: how long it has to wait, or nothing if there have been too many restarts. Those that the
    /// strategy has rebuilt with it are told.
    pub(crate) fn restart(&self, number: usize) -> Option<Duration> {
        let wait = self.restarts.lock().one_more(Instant::now())?;
        let others = self.select(|other| match self.strategy {
            Strategy::OneForOne => false,
            Strategy::RestForOne => other > number,
            Strategy::OneForAll => other != number,
        });
        others.iter().for_each(|other| other.rebuild());
        Some(wait)
    }

    /// A member's failure is that of all. Later ones are not.
    pub(crate) fn fail(&self, member: &Arc<str>, reason: &Reason) {
        let _ = self.failure.set((member.clone(), reason.clone()));
    }

    /// Who failed for all, and why.
    pub(crate) fn failure(&self) -> Option<&(Arc<str>, Reason)> {
        self.failure.get()
    }

    /// Waits until one has failed for all. Cancellation safe.
    pub(crate) async fn failed(&self) {
        self.failure.wait().await;
    }
}

/// The signal to stop, of all stages of a pipeline, or of one child of a supervisor.
#[derive(Default)]
pub(crate) struct Control {
    stopping: SetOnce<()>,
    pub(crate) group: Arc<Group>,
    /// A child of a supervisor: its end, and its failure, are its own affair.
    is_child: bool,
}

impl Control {
    /// Of a pipeline.
    pub(crate) fn of_all(group: Group) -> Self {
        Self { group: Arc::new(group), ..Self::default() }
    }

    /// Of one child.
    pub(crate) fn of_child(group: Arc<Group>) -> Self {
        Self { group, is_child: true, ..Self::default() }
    }

    /// Tells whoever it is for to stop.
    pub(crate) fn stop(&self) {
        let _ = self.stopping.set(());
    }

    /// A stage has ended. If a stage of a pipeline has failed, the others stop; the first failure is the pipeline's.
    pub(crate) fn ended(&self, stage: &Arc<str>, reason: &Reason) {
        if reason.is_failure() && !self.is_child {
            self.failed(stage, reason);
        }
    }

    /// There has been one restart too many.
    pub(crate) fn failed(&self, stage: &Arc<str>, reason: &Reason) {
        self.group.fail(stage, reason);
        if !self.is_child {
            self.stop();
        }
    }

    /// What the future comes to, or nothing if the pipeline stops before.
    ///
    /// To be awaited by a task of its own: the signal is polled at first, so that it wakes the task, and then only once it has been
    /// given. Polling it every time takes its lock every time, a tenth of what a small batch costs.
    pub(crate) async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut stopped) = (pin!(future), pin!(self.stopping.wait()));
        let mut waits = false;
        poll_fn(|cx| {
            if !waits || self.stopping.initialized() {
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
