use std::fmt;
use std::sync::Arc;

use super::Address;
use crate::role::Stage;

/// A handle of a stage: `app.counter` of a pipeline with a node `counter`.
///
/// Cheap to clone. Holding one keeps a stage reachable: a stage that nobody can reach any more ends.
pub struct StageRef<S: Stage> {
    name: Arc<str>,
    address: Address<S>,
}

impl<S: Stage> StageRef<S> {
    pub(crate) fn new(name: Arc<str>, address: Address<S>) -> Self {
        Self { name, address }
    }

    /// The stage's name: its node's in `pipeline!`, with `[i]` behind it for a replica.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the stage has ended.
    pub fn has_ended(&self) -> bool {
        self.address.0.is_closed()
    }

    /// Waits until the stage has ended. Cancellation safe.
    pub async fn ended(&self) {
        self.address.0.closed().await;
    }
}

impl<S: Stage> Clone for StageRef<S> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), address: self.address.clone() }
    }
}

impl<S: Stage> fmt::Debug for StageRef<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StageRef").field(&self.name).finish()
    }
}
