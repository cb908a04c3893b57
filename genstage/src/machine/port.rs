use crate::Reason;
use crate::subscription::{CancelKind, SubscriptionId};

/// What a consumer can say to its producer.
///
/// To one that has ended it says nothing: whoever ends tells its neighbours so.
pub(crate) trait Upstream<T>: Send {
    /// Asks for `demand` more events; `spare` is an empty buffer to send some of them in, and is taken.
    fn ask(&self, id: SubscriptionId, demand: usize, spare: &mut Vec<T>);

    /// As [`ask`](Self::ask), for what has been handled.
    #[inline]
    fn ask_again(&self, id: SubscriptionId, demand: usize, spare: &mut Vec<T>) {
        self.ask(id, demand, spare);
    }

    /// Events that the consumer received and will not handle, the oldest there are. It has cancelled before.
    fn give_back(&self, id: SubscriptionId, events: Vec<T>);

    /// The consumer has ended, or wants the subscription cancelled.
    fn consumer_gone(&self, id: SubscriptionId, kind: CancelKind, reason: Reason);
}

/// What a producer can say to its consumer.
pub(crate) trait Downstream<T>: Send {
    /// Takes the events and sends them; false, and they stay, if the consumer has ended.
    fn events(&self, id: SubscriptionId, events: &mut Vec<T>) -> bool;

    /// The producer has ended, or the subscription is cancelled: it has sent everything it will.
    fn producer_gone(&self, id: SubscriptionId, kind: CancelKind, reason: Reason);
}
