//! The one runtime there is.

use crate::task::{self, JoinHandle};

/// It.
#[derive(Clone, Debug)]
pub struct Handle(());

/// There is none: this is not called within a model.
#[derive(Debug)]
pub struct TryCurrentError(());

impl Handle {
    pub fn current() -> Self {
        Self(())
    }

    pub fn try_current() -> Result<Self, TryCurrentError> {
        shuttle::current::try_get_current_task().map(|_| Self(())).ok_or(TryCurrentError(()))
    }

    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        task::spawn(future)
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        shuttle::future::block_on(future)
    }
}
