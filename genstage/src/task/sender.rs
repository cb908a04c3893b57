//! Where messages to a stage go in: its own mailbox, or, of a part of a fused stage, the mailbox of the whole.

use std::mem;
use std::sync::Arc;

use super::mailbox::Message;
use crate::channel;
use crate::role::Stage;
use crate::subscription::SubscriptionId;

/// Whichever it is, a handle does not own what is on the way in it: the compiler, dropping a handle, would look at the types of the events
/// in there, and report them once more where a struct has not the trait of its role.
pub(crate) struct Sender<S: Stage>(Arc<dyn Route<S>>);

/// One that does not keep the stage reachable.
pub(crate) struct WeakSender<S: Stage>(Arc<dyn WeakRoute<S>>);

/// A message that was not sent; none if it was for the whole already and cannot be what it was.
pub(crate) type Unsent<S> = Option<Message<S>>;

/// The way of a part's messages to the whole.
pub(crate) trait Route<S: Stage>: Send + Sync {
    fn send(&self, message: Message<S>) -> Result<(), Unsent<S>>;

    /// As [`Upstream::ask`](crate::machine::Upstream::ask).
    fn ask(&self, id: SubscriptionId, demand: usize, spare: &mut Vec<S::Give>) {
        let _ = self.send(Message::Ask { id, demand, spare: mem::take(spare) });
    }

    /// As [`Downstream::events`](crate::machine::Downstream::events).
    fn events(&self, id: SubscriptionId, events: &mut Vec<S::Take>) -> bool {
        match self.send(Message::Events { id, events: mem::take(events) }) {
            Err(Some(Message::Events { events: unsent, .. })) => *events = unsent,
            // A refused send returns the message that was sent.
            Err(_) => {}
            Ok(()) => return true,
        }
        false
    }

    fn is_closed(&self) -> bool;
    /// How many messages there are.
    fn len(&self) -> usize;
    fn downgrade(&self) -> Arc<dyn WeakRoute<S>>;
    /// Whether the part has subscriptions to producers: the first one's are those of the whole.
    fn has_input(&self) -> bool;
}

pub(crate) trait WeakRoute<S: Stage>: Send + Sync {
    fn upgrade(&self) -> Option<Arc<dyn Route<S>>>;
}

impl<S: Stage> Route<S> for channel::Sender<Message<S>>
where
    Message<S>: Send,
{
    fn send(&self, message: Message<S>) -> Result<(), Unsent<S>> {
        self.send(message).map_err(Some)
    }

    fn ask(&self, id: SubscriptionId, demand: usize, spare: &mut Vec<S::Give>) {
        self.send_made(|| Message::Ask { id, demand, spare: mem::take(spare) });
    }

    fn events(&self, id: SubscriptionId, events: &mut Vec<S::Take>) -> bool {
        self.send_made(|| Message::Events { id, events: mem::take(events) })
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn downgrade(&self) -> Arc<dyn WeakRoute<S>> {
        Arc::new(self.downgrade())
    }

    fn has_input(&self) -> bool {
        true
    }
}

impl<S: Stage> WeakRoute<S> for channel::WeakSender<Message<S>>
where
    Message<S>: Send,
{
    fn upgrade(&self) -> Option<Arc<dyn Route<S>>> {
        let sender = self.upgrade()?;
        Some(Arc::new(sender))
    }
}

impl<S: Stage> Sender<S> {
    pub(super) fn new(way: impl Route<S> + 'static) -> Self {
        Self(Arc::new(way))
    }

    pub(crate) fn send(&self, message: Message<S>) -> Result<(), Unsent<S>> {
        self.0.send(message)
    }

    #[inline]
    pub(super) fn ask(&self, id: SubscriptionId, demand: usize, spare: &mut Vec<S::Give>) {
        self.0.ask(id, demand, spare);
    }

    #[inline]
    pub(super) fn events(&self, id: SubscriptionId, events: &mut Vec<S::Take>) -> bool {
        self.0.events(id, events)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn has_input(&self) -> bool {
        self.0.has_input()
    }

    pub(super) fn downgrade(&self) -> WeakSender<S> {
        WeakSender(self.0.downgrade())
    }
}

impl<S: Stage> WeakSender<S> {
    pub(super) fn new(way: impl WeakRoute<S> + 'static) -> Self {
        Self(Arc::new(way))
    }

    pub(super) fn upgrade(&self) -> Option<Sender<S>> {
        self.0.upgrade().map(Sender)
    }
}

impl<S: Stage> Clone for Sender<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Stage> Clone for WeakSender<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
