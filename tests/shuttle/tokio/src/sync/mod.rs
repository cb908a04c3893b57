//! tokio's primitives, with points.

pub mod mpsc;
mod notify;
pub mod oneshot;
mod semaphore;
mod set_once;

pub use notify::Notify;
pub use semaphore::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
pub use set_once::SetOnce;
