//! Ports that write down what goes through them.

use std::sync::{Arc, Mutex};

use super::{Downstream, Machine, Producer, Upstream};
use crate::demand::{DEFAULT_MAX_DEMAND, Window};
use crate::dispatch::{Consumer, Dispatcher, Outbox};
use crate::subscription::{CancelKind, Subscription, SubscriptionId};
use crate::{Cancel, Reason};

/// What went to a neighbour.
/// A new subscription between stages of these names, as the producer and as the consumer sees it.
pub(crate) fn pair(producer: &str, consumer: &str) -> (Subscription, Subscription) {
    Subscription::pair(&producer.into(), &consumer.into(), DEFAULT_MAX_DEMAND)
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sent<T> {
    Events(Vec<T>),
    Ask(usize),
    Down(String),
}

/// Stands in for all neighbours of a stage; neighbours go by numbers.
#[derive(Clone, Debug)]
pub(crate) struct Recorder<T> {
    log: Arc<Mutex<Log<T>>>,
}

/// By neighbour, in the order in which it went out.
type Log<T> = Vec<(usize, Sent<T>)>;

impl<T> Default for Recorder<T> {
    fn default() -> Self {
        Self { log: Arc::default() }
    }
}

struct Port<T> {
    neighbour: usize,
    recorder: Recorder<T>,
}

impl<T: Clone + Send + 'static> Recorder<T> {
    /// Everything that went out since the last look.
    pub(crate) fn sent(&self) -> Log<T> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    /// The events that went out since the last look.
    pub(crate) fn events(&self) -> Vec<(usize, Vec<T>)> {
        let events = self.sent().into_iter().filter_map(|(neighbour, sent)| match sent {
            Sent::Events(events) => Some((neighbour, events)),
            _ => None,
        });
        events.collect()
    }

    fn note(&self, neighbour: usize, sent: Sent<T>) {
        self.log.lock().unwrap().push((neighbour, sent));
    }

    fn port(&self, neighbour: usize) -> Box<Port<T>> {
        Box::new(Port { neighbour, recorder: self.clone() })
    }

    pub(crate) fn consumer(&self, neighbour: usize, cancel: Cancel) -> Consumer<T> {
        Consumer::new(self.port(neighbour), cancel)
    }

    pub(crate) fn producer(&self, neighbour: usize, max: usize, min: usize, cancel: Cancel) -> Producer<T> {
        Producer { port: self.port(neighbour), window: Window::new(Some(max), Some(min)).unwrap(), cancel }
    }

    /// `n` consumers with the keys 0 to `n - 1`.
    pub(crate) fn outbox(&self, n: usize) -> Outbox<T> {
        let mut outbox = Outbox::default();
        for neighbour in 0..n {
            let (ours, _) = pair("producer", "consumer");
            let key = outbox.insert(ours, self.consumer(neighbour, Cancel::Temporary));
            assert_eq!(key.index(), neighbour);
        }
        outbox
    }

    /// Subscribes `n` consumers to a stage.
    pub(crate) fn subscribe<I, D: Dispatcher<T, Options = ()>>(
        &self,
        machine: &mut Machine<I, T, D>,
        n: usize,
        cancel: Cancel,
    ) -> Vec<SubscriptionId> {
        let subscribe = |neighbour| {
            let (ours, _) = pair("producer", "consumer");
            let id = ours.id;
            machine.add_consumer(ours, self.consumer(neighbour, cancel), ()).unwrap();
            id
        };
        (0..n).map(subscribe).collect()
    }
}

impl<T: Clone + Send> Downstream<T> for Port<T>
where
    T: 'static,
{
    fn events(&self, _: SubscriptionId, events: &mut Vec<T>) -> bool {
        self.recorder.note(self.neighbour, Sent::Events(std::mem::take(events)));
        true
    }

    fn producer_gone(&self, _: SubscriptionId, _: CancelKind, reason: Reason) {
        self.recorder.note(self.neighbour, Sent::Down(reason.to_string()));
    }
}

impl<T: Clone + Send + 'static> Upstream<T> for Port<T> {
    fn ask(&self, _: SubscriptionId, demand: usize, _: &mut Vec<T>) {
        self.recorder.note(self.neighbour, Sent::Ask(demand));
    }

    fn give_back(&self, _: SubscriptionId, _: Vec<T>) {}

    fn consumer_gone(&self, _: SubscriptionId, _: CancelKind, reason: Reason) {
        self.recorder.note(self.neighbour, Sent::Down(reason.to_string()));
    }
}
