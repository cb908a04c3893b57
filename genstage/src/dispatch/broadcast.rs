use std::collections::BTreeMap;

use super::{ConsumerKey, Dispatcher, NotDispatched, Outbox};

/// Sends every event to every consumer, as fast as the slowest of them asks.
///
/// While one consumer has no demand, nothing is sent to any; so a consumer that subscribes holds the others up until its
/// first ask. Events are cloned for all consumers but the last, which gets them as they are. A consumer may state a
/// [`Selector`]; what it leaves out is asked for anew on its behalf. O(consumers) for each batch, O(log consumers) for each
/// ask.
///
/// ```
/// use genstage::testing::DispatcherProbe;
/// use genstage::{BroadcastDispatcher, Selector};
///
/// let mut probe = DispatcherProbe::new(BroadcastDispatcher::default());
/// let all = probe.subscribe(Selector::default())?;
/// let even = probe.subscribe(Selector::new(|n| n % 2 == 0))?;
/// probe.ask(all, 10);
/// probe.ask(even, 3);
/// assert_eq!(probe.dispatch(vec![1, 2, 3, 4]), [4]); // three, as the slowest has asked
/// assert_eq!(probe.sent(), [(all, vec![1, 2, 3]), (even, vec![2])]);
/// assert_eq!(probe.refused(), [(even, 2)]); // which are asked for anew
/// # Ok::<(), genstage::NotDispatched>(())
/// ```
#[derive(Debug)]
pub struct BroadcastDispatcher<T> {
    /// By the consumer's key, while it is subscribed.
    consumers: Vec<Option<Receiver<T>>>,
    /// How many consumers have asked for events up to that number of events ever dispatched.
    limits: BTreeMap<u64, usize>,
    /// Events ever dispatched.
    dispatched: u64,
    /// What is about to be sent.
    copies: Vec<(ConsumerKey, Vec<T>)>,
}

/// Which events a consumer of a broadcast wants.
pub struct Selector<T>(Option<Box<Wanted<T>>>);

type Wanted<T> = dyn Fn(&T) -> bool + Send;

#[derive(Debug)]
struct Receiver<T> {
    limit: u64,
    selector: Selector<T>,
}

impl<T> Selector<T> {
    /// The events for which the function holds.
    pub fn new(wanted: impl Fn(&T) -> bool + Send + 'static) -> Self {
        Self(Some(Box::new(wanted)))
    }
}

impl<T> Default for Selector<T> {
    /// All events.
    fn default() -> Self {
        Self(None)
    }
}

impl<T> std::fmt::Debug for Selector<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Selector(…)" } else { "Selector(all)" })
    }
}

impl<T> Default for BroadcastDispatcher<T> {
    /// Without consumers.
    fn default() -> Self {
        Self { consumers: Vec::new(), limits: BTreeMap::new(), dispatched: 0, copies: Vec::new() }
    }
}

/// A dispatcher whose events can be broadcast.
#[diagnostic::on_unimplemented(
    message = "`{T}` is broadcast, but is not `Clone`",
    label = "every consumer needs its own `{T}`",
    note = "derive `Clone` for it, emit `Arc<{T}>`, or use another dispatcher"
)]
pub trait Broadcasts<T> {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Broadcasts<T> for BroadcastDispatcher<T> {}

/// Checks that events can be broadcast, while the crate compiles.
pub const fn check_broadcast<T>()
where
    BroadcastDispatcher<T>: Broadcasts<T>,
{
}

impl<T> BroadcastDispatcher<T> {
    fn receiver(&mut self, consumer: ConsumerKey) -> Option<&mut Receiver<T>> {
        self.consumers.get_mut(consumer.index())?.as_mut()
    }

    /// Moves a consumer from one limit, or none, to another, or none.
    fn move_limit(&mut self, from: Option<u64>, to: Option<u64>) {
        if let Some(to) = to {
            *self.limits.entry(to).or_default() += 1;
        }
        if let Some(from) = from
            && let Some(count) = self.limits.get_mut(&from)
        {
            *count -= 1;
            if *count == 0 {
                self.limits.remove(&from);
            }
        }
    }
}

impl<T: Clone + Send + 'static> BroadcastDispatcher<T> {
    /// What every consumer but the last one gets of the events, and how the last one chooses. All that can panic is done here,
    /// while everything is still in its place.
    fn prepare(&mut self, events: &[T], out: &mut Outbox<T>) -> Option<(ConsumerKey, Option<Vec<bool>>)> {
        self.copies.clear();
        let receivers =
            self.consumers.iter().enumerate().filter_map(|(i, receiver)| Some((i, receiver.as_ref()?)));
        let mut receivers = receivers.map(|(index, receiver)| (ConsumerKey(index), receiver)).peekable();
        while let Some((key, receiver)) = receivers.next() {
            let wanted = receiver.selector.0.as_ref();
            if receivers.peek().is_none() {
                return Some((key, wanted.map(|wanted| events.iter().map(wanted).collect())));
            }
            let mut batch = out.spare();
            match wanted {
                None => batch.extend_from_slice(events),
                Some(wanted) => batch.extend(events.iter().filter(|event| wanted(event)).cloned()),
            }
            self.copies.push((key, batch));
        }
        None
    }

    /// Sends what a selector has left of `of` events.
    fn send_selected(key: ConsumerKey, batch: Vec<T>, of: usize, out: &mut Outbox<T>) {
        let refused = of - batch.len();
        match batch.is_empty() {
            true => out.recycle(batch),
            false => out.send(key, batch),
        }
        if refused > 0 {
            out.refuse(key, refused);
        }
    }
}

impl<T: Clone + Send + 'static> Dispatcher<T> for BroadcastDispatcher<T> {
    type Options = Selector<T>;

    const ONCE: bool = true;

    fn subscribe(&mut self, consumer: ConsumerKey, selector: Selector<T>) -> Result<(), NotDispatched> {
        let index = consumer.index();
        if self.consumers.len() <= index {
            self.consumers.resize_with(index + 1, || None);
        }
        let limit = self.dispatched;
        self.consumers[index] = Some(Receiver { limit, selector });
        self.move_limit(None, Some(limit));
        Ok(())
    }

    fn cancel(&mut self, consumer: ConsumerKey, _: &mut Outbox<T>) {
        let receiver = self.consumers.get_mut(consumer.index()).and_then(Option::take);
        self.move_limit(receiver.map(|receiver| receiver.limit), None);
    }

    fn ask(&mut self, consumer: ConsumerKey, demand: usize, _: &mut Outbox<T>) {
        let Some(receiver) = self.receiver(consumer) else { return };
        let from = receiver.limit;
        let to = from.saturating_add(demand as u64);
        receiver.limit = to;
        self.move_limit(Some(from), Some(to));
    }

    /// The others have these events: the copies are dropped, and counted.
    fn take_back(&mut self, _: ConsumerKey, events: Vec<T>, out: &mut Outbox<T>) -> Vec<T> {
        out.discard(events.len());
        Vec::new()
    }

    fn wanted(&self) -> usize {
        let slowest = self.limits.keys().next().map_or(0, |limit| limit - self.dispatched);
        usize::try_from(slowest).unwrap_or(usize::MAX)
    }

    fn dispatch(&mut self, events: &mut Vec<T>, count: usize, out: &mut Outbox<T>) {
        if count == 0 {
            return;
        }
        let last = self.prepare(&events[..count], out);
        self.dispatched += count as u64;
        for (key, batch) in self.copies.drain(..) {
            Self::send_selected(key, batch, count, out);
        }
        let mut batch =
            if count == events.len() { std::mem::take(events) } else { events.drain(..count).collect() };
        if let Some((key, wanted)) = last {
            // The last one needs no copy.
            if let Some(wanted) = wanted {
                let mut wanted = wanted.into_iter();
                batch.retain(|_| wanted.next().unwrap_or_default());
            }
            Self::send_selected(key, batch, count, out);
        }
    }
}
