//! Tasks that shuttle runs.

mod census;
mod join_set;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use shuttle::current::TaskId;
use shuttle::future;

pub use census::{all_have_ended, begin};
pub use join_set::JoinSet;
pub use shuttle::future::yield_now;

/// As tokio's task budgets.
pub mod coop {
    use std::task::{Context, Poll};

    pub use super::consume_budget;

    /// There is always budget: another task may run at any point in any case.
    pub fn poll_proceed(_: &mut Context<'_>) -> Poll<Budget> {
        Poll::Ready(Budget)
    }

    pub struct Budget;

    impl Budget {
        pub fn made_progress(&self) {}
    }
}

/// Gives others a turn; tokio does so every now and then.
pub async fn consume_budget() {
    yield_now().await;
}

/// Names a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(Name);

/// genstage never compares what a task calls itself with what others call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Name {
    Own(TaskId),
    Others(usize),
}

impl Id {
    fn next() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self(Name::Others(NEXT.fetch_add(1, Ordering::Relaxed)))
    }
}

/// The task that this is called in.
pub fn try_id() -> Option<Id> {
    shuttle::current::try_get_current_task().map(|task| Id(Name::Own(task)))
}

type Payload = Box<dyn Any + Send>;

/// Runs a future in a task of its own. A panic is the task's end, as tokio has it.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let id = Id::next();
    let citizen = census::Citizen::new();
    let task = async move {
        let output = AssertUnwindSafe(future).catch_unwind().await;
        drop(citizen);
        output.inspect_err(|_| census::panicked())
    };
    JoinHandle { id, task: future::spawn(task) }
}

/// Runs a closure that may block in a task of its own.
pub fn spawn_blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    spawn(async { call() })
}

/// Where a task's output comes. Dropping it leaves the task running.
pub struct JoinHandle<T> {
    id: Id,
    task: future::JoinHandle<Result<T, Payload>>,
}

impl<T> JoinHandle<T> {
    pub fn abort(&self) {
        self.task.abort();
    }

    pub fn is_finished(&self) -> bool {
        crate::point();
        self.task.is_finished()
    }

    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { id: self.id, task: self.task.abort_handle() }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.id;
        Pin::new(&mut self.task).poll(cx).map(|ended| match ended {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(payload)) => Err(JoinError { id, payload: Some(payload) }),
            Err(future::JoinError::Cancelled) => Err(JoinError { id, payload: None }),
        })
    }
}

/// Ends a task.
#[derive(Clone, Debug)]
pub struct AbortHandle {
    id: Id,
    task: future::AbortHandle,
}

impl AbortHandle {
    pub fn id(&self) -> Id {
        self.id
    }

    pub fn abort(&self) {
        self.task.abort();
    }
}

/// A task that has panicked or was aborted.
#[derive(Debug)]
pub struct JoinError {
    id: Id,
    payload: Option<Payload>,
}

impl JoinError {
    pub fn id(&self) -> Id {
        self.id
    }

    pub fn try_into_panic(self) -> Result<Payload, Self> {
        match self.payload {
            Some(payload) => Ok(payload),
            None => Err(self),
        }
    }
}
