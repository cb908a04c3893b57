//! The async shell around a [`Machine`](crate::machine::Machine): one task and one mailbox for each stage.

mod children;
mod deed;
mod instance;
mod mailbox;
mod restart;
mod send;
mod sender;
mod shell;
mod spawn;
mod stage_ref;
mod subscribe;

pub use children::StartError;
pub(crate) use instance::guarded;
pub(crate) use mailbox::{Address, Message, WeakAddress, mailbox};
pub use restart::Recipe;
pub(crate) use restart::Restartable;
pub(crate) use sender::{Route, Unsent, WeakRoute};
pub(crate) use shell::Shell;
pub use spawn::Spawn;
pub use stage_ref::StageRef;
pub use subscribe::SubscribeError;
