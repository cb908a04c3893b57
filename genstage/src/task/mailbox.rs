use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::Reason;
use crate::machine::{Downstream, Upstream};
use crate::role::{Runnable, Stage};
use crate::subscription::SubscriptionId;

/// Everything that can happen to a stage from outside.
pub(crate) enum Message<S: Stage> {
    /// A consumer asks for events; with it may come an emptied buffer.
    Ask { id: SubscriptionId, demand: usize, spare: Vec<S::Give> },
    /// A producer sends events.
    Events { id: SubscriptionId, events: Vec<S::Take> },
    /// A producer has ended.
    ProducerDown { id: SubscriptionId, reason: Reason },
    /// A consumer has ended.
    ConsumerDown { id: SubscriptionId, reason: Reason },
}

/// Where a stage's messages arrive.
///
/// The channel itself knows no bound: events need credit to be sent, and everything else comes in ones.
pub(crate) type Mailbox<S> = UnboundedReceiver<Message<S>>;

/// Where to send a stage's messages.
pub(crate) struct Address<S: Stage>(pub(super) UnboundedSender<Message<S>>);

impl<S: Stage> Clone for Address<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

pub(crate) fn mailbox<S: Stage>() -> (Address<S>, Mailbox<S>) {
    let (sender, receiver) = unbounded_channel();
    (Address(sender), receiver)
}

// A message to a stage that has ended is dropped with its mailbox: whoever ends has told its neighbours.

impl<S: Runnable> Upstream<S::Give> for Address<S> {
    fn ask(&self, id: SubscriptionId, demand: usize, spare: Vec<S::Give>) {
        let _ = self.0.send(Message::Ask { id, demand, spare });
    }

    fn consumer_down(&self, id: SubscriptionId, reason: Reason) {
        let _ = self.0.send(Message::ConsumerDown { id, reason });
    }
}

impl<S: Runnable> Downstream<S::Take> for Address<S> {
    fn events(&self, id: SubscriptionId, events: Vec<S::Take>) -> Result<(), Vec<S::Take>> {
        self.0.send(Message::Events { id, events }).map_err(|refused| match refused.0 {
            Message::Events { events, .. } => events,
            // A refused send returns the message that was sent.
            _ => Vec::new(),
        })
    }

    fn producer_down(&self, id: SubscriptionId, reason: Reason) {
        let _ = self.0.send(Message::ProducerDown { id, reason });
    }
}

/// Closes a mailbox; how many events were left in it.
pub(super) fn close<S: Stage>(mailbox: &mut Mailbox<S>) -> usize {
    mailbox.close();
    let mut left = 0;
    while let Ok(message) = mailbox.try_recv() {
        if let Message::Events { events, .. } = message {
            left += events.len();
        }
    }
    left
}
