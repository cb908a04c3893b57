use std::sync::Arc;

use parking_lot::Mutex;

use crate::dispatch::{Consumer, ConsumerKey, Dispatcher, NotDispatched, Outbox};
use crate::machine::Downstream;
use crate::subscription::{CancelKind, Subscription, SubscriptionId};
use crate::{Cancel, Reason};

/// Drives a [`Dispatcher`] on its own, and shows what it does.
///
/// ```
/// use genstage::DemandDispatcher;
/// use genstage::testing::DispatcherProbe;
///
/// let mut probe = DispatcherProbe::<u32, _>::new(DemandDispatcher::default());
/// let few = probe.subscribe(())?;
/// let many = probe.subscribe(())?;
/// probe.ask(few, 1);
/// probe.ask(many, 3);
/// assert_eq!(probe.wanted(), 4);
/// assert_eq!(probe.dispatch(vec![1, 2, 3, 4, 5]), [5]);
/// assert_eq!(probe.sent(), [(many, vec![1, 2, 3]), (few, vec![4])]);
/// # Ok::<(), genstage::NotDispatched>(())
/// ```
#[derive(Debug)]
pub struct DispatcherProbe<T, D> {
    dispatcher: D,
    out: Outbox<T>,
    ids: Vec<(ConsumerKey, SubscriptionId)>,
    sent: Sent<T>,
}

type Sent<T> = Arc<Mutex<Vec<(SubscriptionId, Vec<T>)>>>;

struct Port<T>(Sent<T>);

impl<T: Send> Downstream<T> for Port<T> {
    fn events(&self, id: SubscriptionId, events: &mut Vec<T>) -> bool {
        self.0.lock().push((id, std::mem::take(events)));
        true
    }

    fn producer_gone(&self, _: SubscriptionId, _: CancelKind, _: Reason) {}
}

impl<T: Send + 'static, D: Dispatcher<T>> DispatcherProbe<T, D> {
    /// A probe of that dispatcher, without consumers.
    pub fn new(dispatcher: D) -> Self {
        Self { dispatcher, out: Outbox::default(), ids: Vec::new(), sent: Sent::default() }
    }

    /// Subscribes a consumer.
    ///
    /// # Errors
    ///
    /// What the dispatcher says.
    pub fn subscribe(&mut self, options: D::Options) -> Result<ConsumerKey, NotDispatched> {
        let (subscription, _) =
            Subscription::pair(&"the probe".into(), &"a consumer".into(), crate::demand::DEFAULT_MAX_DEMAND);
        let id = subscription.id;
        let key = self
            .out
            .insert(subscription, Consumer::new(Box::new(Port(self.sent.clone())), Cancel::Temporary));
        if let Err(refused) = self.dispatcher.subscribe(key, options) {
            self.out.remove(id);
            return Err(refused);
        }
        self.ids.push((key, id));
        Ok(key)
    }

    /// A consumer asks for that many events.
    pub fn ask(&mut self, consumer: ConsumerKey, demand: usize) {
        self.dispatcher.ask(consumer, demand, &mut self.out);
    }

    /// A consumer goes.
    pub fn cancel(&mut self, consumer: ConsumerKey) {
        if let Some(index) = self.ids.iter().position(|(key, _)| *key == consumer) {
            let (_, id) = self.ids.swap_remove(index);
            self.out.remove(id);
            self.dispatcher.cancel(consumer, &mut self.out);
        }
    }

    /// How many more events the dispatcher would pass on.
    pub fn wanted(&self) -> usize {
        self.dispatcher.wanted()
    }

    /// How many events the stage's handler is to be asked for, if it owes that many already.
    pub fn unmet(&self, owed: usize) -> usize {
        self.dispatcher.unmet(owed)
    }

    /// Events come that nobody was asked for; those that are left over.
    pub fn dispatch(&mut self, events: Vec<T>) -> Vec<T> {
        self.dispatch_owed(events, 0)
    }

    /// Events come of which `owed` were asked for; those that are left over.
    pub fn dispatch_owed(&mut self, mut events: Vec<T>, owed: usize) -> Vec<T> {
        let count = self.dispatcher.takes(owed).min(events.len());
        self.dispatcher.dispatch(&mut events, count, &mut self.out);
        events
    }

    /// An info comes; it may be held by the dispatcher.
    pub fn info(&mut self, info: u64) {
        if !self.dispatcher.hold(info) {
            self.out.release(info);
        }
    }

    /// The batches sent since the last look, in order.
    pub fn sent(&mut self) -> Vec<(ConsumerKey, Vec<T>)> {
        let sent = std::mem::take(&mut *self.sent.lock());
        let key = |id| self.ids.iter().find(|(_, other)| *other == id).map(|(key, _)| *key);
        sent.into_iter().filter_map(|(id, events)| Some((key(id)?, events))).collect()
    }

    /// The demand given back since the last look, because its consumer did not want the events.
    pub fn refused(&mut self) -> Vec<(ConsumerKey, usize)> {
        std::iter::from_fn(|| self.out.next_refused()).collect()
    }

    /// The infos whose turn has come since the last look.
    pub fn infos(&mut self) -> Vec<u64> {
        self.out.released.drain(..).collect()
    }
}
