use std::sync::Arc;

use super::{Shell, StageRef, mailbox};
use crate::control::Control;
use crate::role::Runnable;
use crate::snapshot::plain_type_name;

/// Runs a stage on its own, outside a pipeline. Implemented for every stage.
///
/// ```
/// use genstage::prelude::*;
/// use genstage::{Cancel, Subscribe};
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let numbers = from_iter(0..10).spawn();
/// let printer = for_each(|n: u64| println!("{n}")).spawn_as("printer");
/// printer.subscribe(&numbers, Subscribe::new().cancel(Cancel::Complete)).await?;
/// assert!(printer.ended().await.is_normal());
/// # Ok(())
/// # }
/// ```
pub trait Spawn: Runnable {
    /// Starts the stage in a task of its own, under the name of its type.
    ///
    /// It runs until it finishes, fails or is stopped, or until nobody can reach it any more: its last [`StageRef`] and its
    /// last subscription are gone.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    fn spawn(self) -> StageRef<Self> {
        self.spawn_as(plain_type_name::<Self>())
    }

    /// As [`spawn`](Self::spawn), under that name.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    fn spawn_as(self, name: impl Into<Arc<str>>) -> StageRef<Self> {
        let (address, mailbox) = mailbox(name.into(), self.options());
        let shell = Box::new(Shell::new(self, mailbox, address.downgrade(), None));
        tokio::spawn(shell.run(Arc::new(Control::default())));
        StageRef::new(address)
    }
}

impl<S: Runnable> Spawn for S {}
