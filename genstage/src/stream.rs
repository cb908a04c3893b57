use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use rustc_hash::FxHashMap;

use crate::channel::{Receiver, Sender, channel};
use crate::demand::{Window, WindowError};
use crate::dispatch::{Consumer, Dispatcher};
use crate::machine::{Downstream, Upstream};
use crate::role::Runnable;
use crate::subscription::{CancelKind, DispatchOptions, Subscribe, Subscription, SubscriptionId};
use crate::task::StageRef;
use crate::watch::EdgeGauges;
use crate::{Cancel, Reason};

/// The events of one or several stages, as a [`Stream`]; see [`StageRef::into_stream`].
///
/// Each producer is asked as a consumer would ask it: `max_demand` events at first, and more as the stream is read. An item
/// is an event, or `Err` with the reason for which a producer ended abnormally; the stream ends after that. By the mode of a
/// subscription the end of its producer
///
/// * ends the stream ([`Cancel::Permanent`], the default, as in GenStage),
/// * ends it if it was a failure, or if no producer is left ([`Cancel::Transient`], [`Cancel::Complete`]),
/// * ends it if no producer is left ([`Cancel::Temporary`]).
///
/// Dropping the stream cancels its subscriptions, and events that it had received and not given out go back to the stage
/// they came from, to be the next that are sent; those of a broadcast are dropped, and counted, because the other consumers
/// have them. (In GenStage they are lost: its defect D13.)
///
/// Events of one stage come in the order in which it emitted them; those of several in the order in which their messages come.
///
/// ```
/// use futures_util::StreamExt;
/// use genstage::prelude::*;
/// use genstage::{Cancel, Subscribe};
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let running = pipeline! {
///     small = from_iter(1..=3u64), open;
///     large = from_iter(100..=103u64), open;
/// }
/// .start()?;
/// // It goes on until both have ended.
/// let options = || Subscribe::new().max_demand(2).cancel(Cancel::Complete);
/// let mut numbers = running.small.into_stream(options())?.and(&running.large, options())?;
/// let mut sum = 0;
/// while let Some(number) = numbers.next().await {
///     sum += number?; // or the reason for which a stage failed
/// }
/// assert_eq!(sum, 6 + 406);
/// # Ok(())
/// # }
/// ```
///
/// # Cancellation
///
/// `next()` is cancellation safe: an event is taken out only when it is given.
#[must_use = "a stream does nothing unless it is read"]
pub struct EventStream<T> {
    sender: Sender<Message<T>>,
    messages: Receiver<Message<T>>,
    producers: FxHashMap<SubscriptionId, Producer<T>>,
    /// What has come of one producer and has not been given out.
    current: Option<(SubscriptionId, VecDeque<T>)>,
    ended: bool,
}

struct Producer<T> {
    gauges: Arc<EdgeGauges>,
    port: Box<dyn Upstream<T> + Sync>,
    window: Window,
    cancel: Cancel,
}

enum Message<T> {
    Events(SubscriptionId, Vec<T>),
    Gone(SubscriptionId, Reason),
}

struct Port<T>(Sender<Message<T>>);

impl<T: Send> Downstream<T> for Port<T> {
    fn events(&self, id: SubscriptionId, events: &mut Vec<T>) -> bool {
        self.0.send_made(|| Message::Events(id, std::mem::take(events)))
    }

    fn producer_gone(&self, id: SubscriptionId, _: CancelKind, reason: Reason) {
        let _ = self.0.send(Message::Gone(id, reason));
    }
}

impl<T: Send + 'static> EventStream<T> {
    /// Without producers: it has ended.
    pub(crate) fn new() -> Self {
        let (sender, messages) = channel();
        Self { sender, messages, producers: FxHashMap::default(), current: None, ended: false }
    }

    /// Reads from another stage, too.
    ///
    /// # Errors
    ///
    /// If the demands make no sense.
    pub fn and<P, O>(mut self, producer: &StageRef<P>, options: Subscribe<O>) -> Result<Self, WindowError>
    where
        P: Runnable<Give = T>,
        P::Dispatcher: Dispatcher<T>,
        O: DispatchOptions<<P::Dispatcher as Dispatcher<T>>::Options>,
    {
        let mut window = options.window_of_its_own()?;
        let (port, cancel) = (options.way(producer.upstream()), options.cancel.unwrap_or(Cancel::Permanent));
        let (ours, theirs) =
            Subscription::pair(&producer.shared_name(), &"a stream".into(), window.bounds().0);
        let consumer = Consumer::new(Box::new(Port(self.sender.clone())), Cancel::Temporary);
        producer.admit(ours, consumer, options.options.into_options(0));
        let demand = window.open();
        theirs.gauges.asked.add(demand as u64);
        port.ask(theirs.id, demand, &mut Vec::new());
        self.producers.insert(theirs.id, Producer { gauges: theirs.gauges, port, window, cancel });
        Ok(self)
    }
}

impl<T> EventStream<T> {
    /// The next event of what has come already.
    fn next_event(&mut self) -> Option<T> {
        let (id, events) = self.current.as_mut()?;
        let event = events.pop_front()?;
        if let Some(producer) = self.producers.get_mut(id) {
            let ask = producer.window.handled(1);
            producer.gauges.handled.add(1);
            if ask > 0 {
                producer.gauges.asked.add(ask as u64);
                let mut spare = if events.is_empty() { std::mem::take(events).into() } else { Vec::new() };
                producer.port.ask_again(*id, ask, &mut spare);
            }
        }
        Some(event)
    }

    /// A producer has gone; with what the stream ends, if it does.
    fn gone(&mut self, id: SubscriptionId, reason: Reason) -> Option<Reason> {
        let producer = self.producers.remove(&id)?;
        self.ended = match producer.cancel {
            Cancel::Permanent => true,
            Cancel::Transient | Cancel::Complete if reason.is_failure() => true,
            _ => self.producers.is_empty(),
        };
        let failed = reason.is_failure() && producer.cancel != Cancel::Temporary;
        failed.then_some(reason)
    }
}

impl<T> Unpin for EventStream<T> {}

impl<T> Stream for EventStream<T> {
    type Item = Result<T, Reason>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.next_event() {
                return Poll::Ready(Some(Ok(event)));
            }
            if self.ended || self.producers.is_empty() {
                return Poll::Ready(None);
            }
            ready!(self.messages.poll_ready(cx));
            match self.messages.take() {
                Some(Message::Events(id, events)) => self.current = Some((id, events.into())),
                Some(Message::Gone(id, reason)) => {
                    if let Some(failure) = self.gone(id, reason) {
                        return Poll::Ready(Some(Err(failure)));
                    }
                }
                // The stream itself holds a sender.
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> Drop for EventStream<T> {
    fn drop(&mut self) {
        let mut unread: FxHashMap<SubscriptionId, Vec<T>> = FxHashMap::default();
        if let Some((id, events)) = self.current.take() {
            unread.entry(id).or_default().extend(events);
        }
        for message in self.messages.close() {
            if let Message::Events(id, events) = message {
                unread.entry(id).or_default().extend(events);
            }
        }
        for (id, producer) in self.producers.drain() {
            if let Some(events) = unread.remove(&id) {
                producer.port.give_back(id, events);
            }
            producer.port.consumer_gone(id, CancelKind::Cancel, Reason::Normal);
        }
    }
}

impl<T> std::fmt::Debug for EventStream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").field("producers", &self.producers.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};
    use std::thread;

    use super::*;

    /// Keeps what a stream gives back.
    #[derive(Clone, Default)]
    struct Back(Arc<Mutex<Vec<u64>>>);

    impl Upstream<u64> for Back {
        fn ask(&self, _: SubscriptionId, _: usize, _: &mut Vec<u64>) {}

        fn give_back(&self, _: SubscriptionId, events: Vec<u64>) {
            self.0.lock().unwrap().extend(events);
        }

        fn consumer_gone(&self, _: SubscriptionId, _: CancelKind, _: Reason) {}
    }

    /// A thread that sends numbers to every port that comes, a hundred at most; how many were accepted.
    fn producer() -> (mpsc::Sender<(Port<u64>, SubscriptionId)>, mpsc::Receiver<usize>) {
        let ((give, ports), (sent, accepted)) = (mpsc::channel::<(Port<u64>, _)>(), mpsc::channel());
        thread::spawn(move || {
            for (port, id) in ports {
                let sends = (0..100).take_while(|event| port.events(id, &mut vec![*event]));
                sent.send(sends.count()).unwrap();
            }
        });
        (give, accepted)
    }

    /// However the sending of events and the end of the stream fall together, each event is refused or given back.
    #[test]
    fn what_is_being_sent_while_a_stream_is_dropped_goes_back() {
        let producers = [producer(), producer()];
        for round in 0..2000 {
            let (mut stream, back) = (EventStream::new(), Back::default());
            for (give, _) in &producers {
                let (subscription, _) = Subscription::pair(
                    &"a producer".into(),
                    &"a stream".into(),
                    crate::demand::DEFAULT_MAX_DEMAND,
                );
                let (id, window) = (subscription.id, Subscribe::new().window_of_its_own().unwrap());
                let port = Box::new(back.clone());
                stream
                    .producers
                    .insert(id, Producer { gauges: Arc::default(), port, window, cancel: Cancel::Permanent });
                give.send((Port(stream.sender.clone()), id)).unwrap();
            }
            while stream.messages.len() <= round % 20 {
                thread::yield_now();
            }
            drop(stream);
            let accepted: usize = producers.iter().map(|(_, accepted)| accepted.recv().unwrap()).sum();
            assert_eq!(back.0.lock().unwrap().len(), accepted, "round {round}");
        }
    }
}
