use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::ChildSpec;
use crate::children::{Shutdown, Stopping};
use crate::control::{Control, Remote};
use crate::restart::pause;
use crate::task::guarded;
use crate::telemetry;
use crate::{Reason, Result};

/// A child that is a closure's future.
pub(super) struct SupervisedTask {
    number: usize,
    spec: ChildSpec,
    control: Arc<Control>,
    /// It is to end, and not to be begun anew.
    ending: AtomicBool,
    /// Asks the future that runs to end.
    stopping: Mutex<CancellationToken>,
    rebuild: Notify,
}

/// How a future came to its end.
enum End {
    Returned(Reason),
    /// It was ended for the strategy.
    Rebuilt,
}

impl SupervisedTask {
    pub(super) fn new(number: usize, spec: &ChildSpec, control: Arc<Control>) -> Self {
        Self {
            number,
            spec: spec.clone(),
            control,
            ending: AtomicBool::new(false),
            stopping: Mutex::default(),
            rebuild: Notify::new(),
        }
    }

    /// One future after the other, until there is to be no more.
    pub(super) async fn run<F, T>(&self, mut make: F)
    where
        F: FnMut(Stopping) -> T + Send,
        T: Future<Output = Result> + Send,
    {
        loop {
            let stopping = self.begin();
            let once = self.once(&mut make, stopping);
            let end = match self.control.unless_stopped(once).await {
                Some(End::Returned(reason)) => reason,
                Some(End::Rebuilt) => continue,
                None => return,
            };
            if self.ending.load(Ordering::Acquire) || !self.spec.restart.wants(&end) {
                return self.report(&end);
            }
            let Some(wait) = self.control.group.restart(self.number) else {
                return self.control.failed(&self.spec.name, &end);
            };
            telemetry::child_begun_anew(&self.spec.name, &end);
            if self.control.unless_stopped(pause(wait)).await.is_none() {
                return;
            }
        }
    }

    fn report(&self, reason: &Reason) {
        if reason.is_failure() {
            telemetry::child_failed(&self.spec.name, reason);
        }
    }

    /// The token of the next future; cancelled already if that is to end.
    fn begin(&self) -> CancellationToken {
        let mut stopping = self.stopping.lock();
        if !self.ending.load(Ordering::Acquire) {
            *stopping = CancellationToken::new();
        }
        stopping.clone()
    }

    /// No future is to begin any more that is not cancelled already; the token of the one that runs, or ran last.
    fn end(&self) -> CancellationToken {
        let stopping = self.stopping.lock();
        self.ending.store(true, Ordering::Release);
        stopping.clone()
    }

    async fn once<F, T>(&self, make: &mut F, stopping: CancellationToken) -> End
    where
        F: FnMut(Stopping) -> T,
        T: Future<Output = Result>,
    {
        let mut future = pin!(guarded(async { make(Stopping::new(stopping.clone())).await }));
        tokio::select! {
            ended = &mut future => End::Returned(match ended {
                Ok(Ok(())) => Reason::Normal,
                Ok(Err(error)) => Reason::from(error),
                Err(panicked) => panicked,
            }),
            () = self.rebuild.notified() => {
                stopping.cancel();
                self.let_end(future).await;
                End::Rebuilt
            }
        }
    }

    /// Waits for a future that has been asked to end, as long as it may take.
    async fn let_end(&self, future: Pin<&mut impl Future>) {
        match self.spec.shutdown {
            Shutdown::Abort => {}
            Shutdown::Unbounded => drop(future.await),
            Shutdown::After(time) => drop(timeout(time, future).await),
        }
    }
}

impl Remote for SupervisedTask {
    fn rebuild(&self) {
        if self.spec.restart.is_possible() {
            self.rebuild.notify_one();
        }
    }

    fn drain(&self) {
        self.stop(Reason::Normal);
    }

    fn stop(&self, _: Reason) {
        // Whoever is woken finds the lock free.
        self.end().cancel();
    }
}
