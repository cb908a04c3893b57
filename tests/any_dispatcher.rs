//! A dispatcher that is chosen when its stage starts: a stage's type has one, a test wants any.

use genstage::{
    BroadcastDispatcher, ConsumerKey, DemandDispatcher, Dispatcher, Marker, NotDispatched, Outbox, Partition,
    PartitionDispatcher, Result, Selector,
};

/// One of the dispatchers there are.
#[derive(Debug)]
pub enum AnyDispatcher<T> {
    /// To the consumer that wants most.
    Demand(DemandDispatcher),
    /// To everyone.
    Broadcast(BroadcastDispatcher<T>),
    /// To the consumer of the event's partition.
    Partition(PartitionDispatcher<T>),
}

/// What a subscription states, for whichever it is.
#[derive(Debug)]
pub struct AnyOptions<T> {
    /// For a broadcast: which events.
    pub selector: Selector<T>,
    /// For partitions: which one. Where none is stated, consumers take partitions in the order in which they subscribe.
    pub partition: Option<usize>,
}

impl<T> Default for AnyOptions<T> {
    fn default() -> Self {
        Self { selector: Selector::default(), partition: None }
    }
}

/// Calls the same method of whichever it is.
macro_rules! delegate {
    ($self:ident, $method:ident($($argument:expr),*)) => {
        match $self {
            Self::Demand(dispatcher) => Dispatcher::<T>::$method(dispatcher, $($argument),*),
            Self::Broadcast(dispatcher) => dispatcher.$method($($argument),*),
            Self::Partition(dispatcher) => dispatcher.$method($($argument),*),
        }
    };
}

impl<T: Clone + Send + 'static> Dispatcher<T> for AnyDispatcher<T> {
    type Options = AnyOptions<T>;

    fn subscribe(&mut self, consumer: ConsumerKey, options: AnyOptions<T>) -> Result<(), NotDispatched> {
        match self {
            Self::Demand(dispatcher) => Dispatcher::<T>::subscribe(dispatcher, consumer, ()),
            Self::Broadcast(dispatcher) => dispatcher.subscribe(consumer, options.selector),
            Self::Partition(dispatcher) => {
                let partition = options.partition.unwrap_or(consumer.index());
                dispatcher.subscribe(consumer, Partition(partition))
            }
        }
    }

    fn cancel(&mut self, consumer: ConsumerKey, out: &mut Outbox<T>) {
        delegate!(self, cancel(consumer, out));
    }

    fn ask(&mut self, consumer: ConsumerKey, demand: usize, out: &mut Outbox<T>) {
        delegate!(self, ask(consumer, demand, out));
    }

    fn wanted(&self) -> usize {
        delegate!(self, wanted())
    }

    fn unmet(&self, owed: usize) -> usize {
        delegate!(self, unmet(owed))
    }

    fn starved(&self) -> usize {
        delegate!(self, starved())
    }

    fn takes(&self, owed: usize) -> usize {
        delegate!(self, takes(owed))
    }

    fn dispatch(&mut self, events: &mut Vec<T>, count: usize, out: &mut Outbox<T>) {
        delegate!(self, dispatch(events, count, out));
    }

    fn take_back(&mut self, consumer: ConsumerKey, events: Vec<T>, out: &mut Outbox<T>) -> Vec<T> {
        delegate!(self, take_back(consumer, events, out))
    }

    fn queued(&self) -> usize {
        delegate!(self, queued())
    }

    fn awaited(&self) -> usize {
        delegate!(self, awaited())
    }

    fn check(&self) -> Result<(), NotDispatched> {
        delegate!(self, check())
    }

    fn hold(&mut self, info: Marker) -> bool {
        delegate!(self, hold(info))
    }
}
