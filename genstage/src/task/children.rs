//! The children of a consumer supervisor, through its handle.

use super::instance::Instance;
use super::{Shell, StageRef};
use crate::role::{Runnable, Stage};
use crate::{ChildCount, ChildId, ChildInfo, ConsumerSupervisor, Context, NoSuchChild, Reason};

/// Why a child was not started.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// What [`start_child`](ConsumerSupervisor::start_child) failed with, or its panic.
    #[error("the child was not started: {0}")]
    Failed(Reason),
    /// The supervisor has ended.
    #[error("the supervisor has ended")]
    Ended,
}

impl<S: Runnable + ConsumerSupervisor<Event = E> + Stage<Take = E>, E: Send + 'static> StageRef<S> {
    /// Starts a child for an event that came over no subscription: it holds no slot of any. Dropping the future does not take the request
    /// back.
    ///
    /// # Errors
    ///
    /// [`StartError`] if it could not be started; nothing else comes of that.
    pub async fn start_child(&self, event: E) -> Result<ChildId, StartError> {
        let start = move |shell: &mut Shell<S>| {
            let Some(Instance { state, cx }) = shell.place.here() else { return Err(StartError::Ended) };
            let started = cx.children().start(state, event, None).map_err(StartError::Failed);
            shell.obey();
            started
        };
        self.control(start).await.unwrap_or(Err(StartError::Ended))
    }

    /// Ends a child, as the option `shutdown` of the stage says, and waits until it has ended. It is not begun anew, and gives its
    /// slot back. Dropping the future does not take the request back.
    ///
    /// # Errors
    ///
    /// [`NoSuchChild`] if there is none of that name, or not any more.
    pub async fn terminate_child(&self, child: ChildId) -> Result<(), NoSuchChild> {
        let terminate = move |shell: &mut Shell<S>| {
            let Some(Instance { cx, .. }) = shell.place.here() else { return Err(NoSuchChild) };
            let ended = cx.terminate_child(child);
            shell.obey();
            ended
        };
        let ended = self.control(terminate).await.unwrap_or(Err(NoSuchChild))?;
        // A supervisor that ends before has ended all its children.
        let _ = ended.await;
        Ok(())
    }

    /// All children, the oldest first; none if the supervisor has ended. Cancellation safe.
    pub async fn which_children(&self) -> Vec<ChildInfo> {
        self.with_children(|cx| cx.children().which()).await.unwrap_or_default()
    }

    /// How many children there are; none if the supervisor has ended. Cancellation safe.
    pub async fn count_children(&self) -> ChildCount {
        self.with_children(|cx| cx.children().count()).await.unwrap_or_default()
    }

    async fn with_children<R: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Context<S>) -> R + Send + 'static,
    ) -> Option<R> {
        self.control(|shell| shell.place.here().map(|instance| look(&mut instance.cx))).await.flatten()
    }
}
