//! Where messages to a stage go in: its own mailbox, or, of a part of a fused stage, the mailbox of the whole.

use std::sync::Arc;

use super::mailbox::Message;
use crate::channel;
use crate::role::Stage;

pub(crate) enum Sender<S: Stage> {
    Own(channel::Sender<Message<S>>),
    Part(Arc<dyn Route<S>>),
}

/// One that does not keep the stage reachable.
pub(crate) enum WeakSender<S: Stage> {
    Own(channel::WeakSender<Message<S>>),
    Part(Arc<dyn WeakRoute<S>>),
}

/// A message that was not sent; none if it was for the whole already and cannot be what it was.
pub(crate) type Unsent<S> = Option<Message<S>>;

/// The way of a part's messages to the whole.
pub(crate) trait Route<S: Stage>: Send + Sync {
    fn send(&self, message: Message<S>) -> Result<(), Unsent<S>>;
    fn is_closed(&self) -> bool;
    fn downgrade(&self) -> Arc<dyn WeakRoute<S>>;
    /// Whether the part has subscriptions to producers: the first one's are those of the whole.
    fn has_input(&self) -> bool;
}

pub(crate) trait WeakRoute<S: Stage>: Send + Sync {
    fn upgrade(&self) -> Option<Arc<dyn Route<S>>>;
}

impl<S: Stage> Sender<S> {
    pub(crate) fn send(&self, message: Message<S>) -> Result<(), Unsent<S>> {
        match self {
            Self::Own(mailbox) => mailbox.send(message).map_err(Some),
            Self::Part(whole) => whole.send(message),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Own(mailbox) => mailbox.is_closed(),
            Self::Part(whole) => whole.is_closed(),
        }
    }

    pub(crate) fn has_input(&self) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Part(whole) => whole.has_input(),
        }
    }

    pub(super) fn downgrade(&self) -> WeakSender<S> {
        match self {
            Self::Own(mailbox) => WeakSender::Own(mailbox.downgrade()),
            Self::Part(whole) => WeakSender::Part(whole.downgrade()),
        }
    }
}

impl<S: Stage> WeakSender<S> {
    pub(super) fn upgrade(&self) -> Option<Sender<S>> {
        match self {
            Self::Own(mailbox) => mailbox.upgrade().map(Sender::Own),
            Self::Part(whole) => whole.upgrade().map(Sender::Part),
        }
    }
}

impl<S: Stage> Clone for Sender<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Own(mailbox) => Self::Own(mailbox.clone()),
            Self::Part(whole) => Self::Part(whole.clone()),
        }
    }
}

impl<S: Stage> Clone for WeakSender<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Own(mailbox) => Self::Own(mailbox.clone()),
            Self::Part(whole) => Self::Part(whole.clone()),
        }
    }
}
