use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::{AbortHandle, Id, JoinError, JoinHandle, spawn};

/// Several tasks. Which of those that have ended comes first is the schedule's choice; dropping it aborts the rest.
pub struct JoinSet<T> {
    tasks: Vec<JoinHandle<T>>,
}

type Ended<T> = Result<(Id, T), JoinError>;

impl<T> JoinSet<T> {
    pub fn new() -> Self {
        Self { tasks: Vec::new() }
    }

    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let task = spawn(task);
        let abort = task.abort_handle();
        self.tasks.push(task);
        abort
    }

    pub fn abort_all(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    pub async fn join_next_with_id(&mut self) -> Option<Ended<T>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        Some(self.join_next_with_id().await?.map(|(_, output)| output))
    }

    pub fn try_join_next_with_id(&mut self) -> Option<Ended<T>> {
        match self.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(ended) => ended,
            Poll::Pending => None,
        }
    }

    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        Some(self.try_join_next_with_id()?.map(|(_, output)| output))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<T>>> {
        crate::point();
        let count = self.tasks.len();
        if count == 0 {
            return Poll::Ready(None);
        }
        let first = if count == 1 { 0 } else { crate::random(count as u32) as usize };
        for index in (first..count).chain(0..first) {
            let task = &mut self.tasks[index];
            if let Poll::Ready(ended) = Pin::new(&mut *task).poll(cx) {
                let id = task.id;
                drop(self.tasks.swap_remove(index));
                return Poll::Ready(Some(ended.map(|output| (id, output))));
            }
        }
        Poll::Pending
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.abort_all();
    }
}
