use std::fmt::{self, Debug};
use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::slot::Slot;
use super::{ConsumerKey, Dispatcher, NotDispatched, Outbox, stable_hash};
use crate::buffer::Marker;
use crate::telemetry;

/// Sends every event to the consumer of its partition; a function says which partition that is.
///
/// Each partition has one consumer at a time. Events of a partition whose consumer has no demand, or that has no consumer,
/// are queued in the partition. A partition that is served slowly, or not at all, does not hold up the others until its
/// queue is full; from then on nothing more is taken in until there is room, so that nothing is lost and every partition's
/// order is kept. A stage that has finished waits until what is queued has gone, except what is for a partition whose consumer
/// has gone: that is discarded with its end. Events for which the function says `None` are discarded, counted, and asked for anew; so are those for which
/// it names a partition that there is not, with a `tracing` warning.
///
/// What comes for one partition is queued for others, mostly. So while a consumer waits, and what it asked for was for others, the
/// stage is asked for as many events for every partition as that consumer asks for at a time, as far as the queues have room.
///
/// Partitions have numbers, or are the values of an enum `K`: see [`keyed`](Self::keyed).
///
/// O(events + consumers served) for each batch, O(1) for each ask, besides what the partition has queued; O(partitions) where
/// events are asked for because a consumer still waits, which are as many at least if the stage's buffer has room for them.
pub struct PartitionDispatcher<T, K = usize> {
    partitions_of: Box<PartitionsOf<T>>,
    /// The number of the partition that a subscription names.
    number_of: Box<dyn Fn(&K) -> usize + Send>,
    partitions: Vec<Slot<T>>,
    queue_size: usize,
    /// By the consumer's key: its partition.
    consumers: Vec<Option<usize>>,
    /// Demand that is not met, of all consumers.
    demand: u128,
    /// Events in all queues.
    queued: usize,
    /// Queues that are full.
    full: usize,
    /// Infos that are held, with the number of partitions that they wait for.
    infos: FxHashMap<Marker, usize>,
    /// The partitions with demand that events of the present call go to.
    served: Vec<usize>,
    /// Which partition each of the events is for that come now.
    numbers: Vec<Option<usize>>,
}

/// Says which partition each of the events is for: once a batch, so that the user's function is called where the loop is.
type PartitionsOf<T> = dyn Fn(&[T], &mut Vec<Option<usize>>) + Send;

/// Which partition a subscription is for: its number, or the value of an enum that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partition<K = usize>(pub K);

/// What says which partition an event is for, where the partitions are the values of the enum `K`: one of them, or an `Option`
/// of one, whose `None` discards the event.
#[diagnostic::on_unimplemented(
    message = "the function says `{Self}` of an event, but the partitions are the values of `{K}`",
    label = "expected a function that returns `{K}`",
    note = "it may return `Option<{K}>`, too: `None` discards the event"
)]
pub trait PartitionKey<K> {
    /// The value; none to discard the event.
    fn into_key(self) -> Option<K>;
}

impl<K> PartitionKey<K> for K {
    fn into_key(self) -> Option<K> {
        Some(self)
    }
}

impl<K> PartitionKey<K> for Option<K> {
    fn into_key(self) -> Option<K> {
        self
    }
}

impl<T> PartitionDispatcher<T> {
    /// How many events a partition queues at most, where nothing else is stated.
    pub const QUEUE_SIZE: usize = 10_000;

    /// A dispatcher over the partitions from 0 to below `partitions`.
    pub fn new(partitions: usize, partition_of: impl Fn(&T) -> Option<usize> + Send + 'static) -> Self {
        Self::numbered(partitions, partition_of, |number| *number)
    }

    /// A dispatcher by the [hash](stable_hash) of a key of each event.
    pub fn by_key<K: Hash>(partitions: usize, key: impl Fn(&T) -> K + Send + 'static) -> Self {
        let count = partitions.max(1) as u64;
        // Below `partitions`, so it is a `usize`.
        Self::new(partitions, move |event| usize::try_from(stable_hash(&key(event)) % count).ok())
    }
}

impl<T, K> PartitionDispatcher<T, K> {
    /// A dispatcher whose partitions are the values of an enum: `key` says which an event is for, or `None` to discard it, and
    /// `number` numbers the values from 0 to below `partitions`. `dispatcher = partition([Parity::Even, Parity::Odd], by = key)`
    /// in `#[stage]` makes one.
    ///
    /// ```
    /// use genstage::testing::DispatcherProbe;
    /// use genstage::{Partition, PartitionDispatcher};
    ///
    /// #[derive(Debug)]
    /// enum Parity {
    ///     Even,
    ///     Odd,
    /// }
    ///
    /// let parity = |n: &u32| if n % 2 == 0 { Parity::Even } else { Parity::Odd };
    /// let number = |parity: &Parity| match parity {
    ///     Parity::Even => 0,
    ///     Parity::Odd => 1,
    /// };
    /// let mut probe = DispatcherProbe::new(PartitionDispatcher::keyed(2, parity, number));
    /// let odd = probe.subscribe(Partition(Parity::Odd))?;
    /// probe.ask(odd, 2);
    /// probe.dispatch_owed(vec![1, 2], 2);
    /// assert_eq!(probe.sent(), [(odd, vec![1])]);
    /// # Ok::<(), genstage::NotDispatched>(())
    /// ```
    pub fn keyed<R: PartitionKey<K>>(
        partitions: usize,
        key: impl Fn(&T) -> R + Send + 'static,
        number: impl Fn(&K) -> usize + Clone + Send + 'static,
    ) -> Self {
        let number_of = number.clone();
        let partition_of = move |event: &T| key(event).into_key().map(|key| number(&key));
        Self::numbered(partitions, partition_of, number_of)
    }

    fn numbered(
        partitions: usize,
        partition_of: impl Fn(&T) -> Option<usize> + Send + 'static,
        number_of: impl Fn(&K) -> usize + Send + 'static,
    ) -> Self {
        Self {
            partitions_of: Box::new(move |events, numbers| numbers.extend(events.iter().map(&partition_of))),
            number_of: Box::new(number_of),
            partitions: (0..partitions).map(|_| Slot::new()).collect(),
            queue_size: PartitionDispatcher::<T>::QUEUE_SIZE,
            consumers: Vec::new(),
            demand: 0,
            queued: 0,
            full: 0,
            infos: FxHashMap::default(),
            served: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// How many events a partition queues at most.
    #[must_use]
    pub fn queue_size(mut self, events: usize) -> Self {
        self.queue_size = events;
        self
    }

    /// Queues an event in its partition; gives it back if the queue is full.
    #[inline]
    fn place(&mut self, partition: usize, event: T, out: &mut Outbox<T>) -> Result<(), T> {
        let Self { partitions, served, queue_size, .. } = self;
        let slot = &mut partitions[partition];
        if slot.queued() == 0 && slot.demand > 0 {
            served.push(partition);
        }
        if slot.queued().saturating_add(1) >= *queue_size {
            return self.place_last(partition, event, out);
        }
        slot.push(event, out);
        self.queued += 1;
        Ok(())
    }

    /// Queues an event with which the queue may be full. What was asked for does not count: it is about to be sent.
    #[cold]
    fn place_last(&mut self, partition: usize, event: T, out: &mut Outbox<T>) -> Result<(), T> {
        let slot = &mut self.partitions[partition];
        if slot.queued().saturating_sub(slot.demand) >= self.queue_size {
            return Err(event);
        }
        slot.push(event, out);
        self.queued += 1;
        self.full += usize::from(slot.queued() == self.queue_size);
        Ok(())
    }

    /// Discards an event that is for no partition, or for one that there is not.
    #[cold]
    fn discard(&self, number: Option<usize>, out: &mut Outbox<T>) {
        if let Some(partition) = number {
            let partitions = self.partitions.len();
            telemetry::unknown_partition(partition, partitions);
        }
        out.discard(1);
    }

    /// Demand that nothing has come for. What is queued counts as if it had met demand: the consumer whose queue it is in
    /// asks for as much again.
    fn open(&self) -> usize {
        if self.full > 0 { 0 } else { saturated(self.demand.saturating_sub(self.queued as u128)) }
    }

    /// How many events have to come so that those who wait get as many as they ask for at a time, if there are as many for
    /// every partition; but no more than the partitions have room for then.
    ///
    /// Only what is wanted would be a few events soon, of which fewer still are for those who wait, and so on: a call of the
    /// handler and a message for next to nothing. What is for others now is what they are sent when they ask.
    fn lacking(&self) -> usize {
        let waiting = self.partitions.iter().filter(|slot| slot.demand > 0);
        let (waiting, wanted) =
            waiting.fold((0, 0), |(slots, events), slot| (slots + 1, events + slot.appetite() as u128));
        let longest = self.partitions.iter().map(Slot::queued).max().unwrap_or(0);
        let room = self.queue_size.saturating_sub(longest).max(1);
        let each = wanted.div_ceil(waiting.max(1)).min(room as u128);
        saturated(each.saturating_mul(self.partitions.len() as u128))
    }

    /// Sends what a partition has queued and its consumer wants.
    fn serve(&mut self, partition: usize, out: &mut Outbox<T>) {
        let Self { partitions, infos, .. } = self;
        let slot = &mut partitions[partition];
        let (demand, queued) = (slot.demand, slot.queued());
        slot.serve(out, |info, out| Self::release(infos, info, out));
        self.demand -= (demand - slot.demand) as u128;
        self.queued -= queued - slot.queued();
        self.full -= usize::from(queued >= self.queue_size && slot.queued() < self.queue_size);
    }

    /// Sends what has come for consumers with demand.
    fn flush(&mut self, out: &mut Outbox<T>) {
        let mut served = std::mem::take(&mut self.served);
        served.drain(..).for_each(|partition| self.serve(partition, out));
        self.served = served;
    }

    fn release(infos: &mut FxHashMap<Marker, usize>, info: Marker, out: &mut Outbox<T>) {
        let Some(waiting) = infos.get_mut(&info) else { return };
        *waiting -= 1;
        if *waiting == 0 {
            infos.remove(&info);
            out.release(info);
        }
    }
}

impl<T: Hash> PartitionDispatcher<T> {
    /// A dispatcher by the [hash](stable_hash) of the events themselves.
    #[must_use]
    pub fn by_hash(partitions: usize) -> Self {
        let count = partitions.max(1) as u64;
        Self::new(partitions, move |event| usize::try_from(stable_hash(event) % count).ok())
    }
}

fn saturated(demand: u128) -> usize {
    usize::try_from(demand).unwrap_or(usize::MAX)
}

impl<T: Send + 'static, K: Debug + Send + 'static> Dispatcher<T> for PartitionDispatcher<T, K> {
    type Options = Partition<K>;

    fn subscribe(
        &mut self,
        consumer: ConsumerKey,
        Partition(key): Partition<K>,
    ) -> Result<(), NotDispatched> {
        let number = (self.number_of)(&key);
        let Some(slot) = self.partitions.get_mut(number) else {
            return Err(NotDispatched::NoSuchPartition(format!("{key:?}")));
        };
        if slot.consumer.is_some() {
            return Err(NotDispatched::PartitionTaken(format!("{key:?}")));
        }
        (slot.consumer, slot.abandoned) = (Some(consumer), false);
        let index = consumer.index();
        if self.consumers.len() <= index {
            self.consumers.resize(index + 1, None);
        }
        self.consumers[index] = Some(number);
        Ok(())
    }

    fn cancel(&mut self, consumer: ConsumerKey, out: &mut Outbox<T>) {
        let Some(partition) = self.consumers.get_mut(consumer.index()).and_then(Option::take) else { return };
        let slot = &mut self.partitions[partition];
        self.demand -= slot.demand as u128;
        for (_, info) in slot.abandon() {
            Self::release(&mut self.infos, info, out);
        }
    }

    fn ask(&mut self, consumer: ConsumerKey, demand: usize, out: &mut Outbox<T>) {
        let Some(partition) = self.consumers.get(consumer.index()).copied().flatten() else { return };
        let slot = &mut self.partitions[partition];
        self.demand += slot.ask(demand) as u128;
        self.serve(partition, out);
    }

    /// They go to the front of the partition's queue, for its next consumer.
    fn take_back(&mut self, consumer: ConsumerKey, given: Vec<T>, _: &mut Outbox<T>) -> Vec<T> {
        let Some(partition) = self.consumers.get(consumer.index()).copied().flatten() else { return given };
        let slot = &mut self.partitions[partition];
        let queued = slot.queued();
        self.demand -= slot.demand as u128;
        self.queued += given.len();
        slot.put_back(given);
        self.full += usize::from(queued < self.queue_size && slot.queued() >= self.queue_size);
        Vec::new()
    }

    fn wanted(&self) -> usize {
        match self.open() {
            0 if self.full == 0 => saturated(self.demand),
            open => open,
        }
    }

    fn unmet(&self, owed: usize) -> usize {
        self.open().saturating_sub(owed)
    }

    fn starved(&self) -> usize {
        if self.full > 0 || self.demand == 0 { 0 } else { self.lacking() }
    }

    fn takes(&self, owed: usize) -> usize {
        owed
    }

    fn dispatch(&mut self, events: &mut Vec<T>, count: usize, out: &mut Outbox<T>) {
        let count = count.min(events.len());
        // The function may panic: everything is still in its place then.
        self.numbers.clear();
        (self.partitions_of)(&events[..count], &mut self.numbers);
        let numbers = std::mem::take(&mut self.numbers);
        let mut refused = Vec::new();
        let mut coming = numbers.iter().zip(events.drain(..count));
        while let Some((number, event)) = coming.next() {
            match number {
                Some(partition) if *partition < self.partitions.len() => {
                    if let Err(event) = self.place(*partition, event, out) {
                        // Nothing overtakes it.
                        refused = out.spare();
                        refused.push(event);
                        refused.extend(coming.by_ref().map(|(_, event)| event));
                    }
                }
                number => self.discard(*number, out),
            }
        }
        drop(coming);
        self.numbers = numbers;
        if !refused.is_empty() {
            refused.append(events);
            std::mem::swap(&mut refused, events);
            out.recycle(refused);
        }
        self.flush(out);
    }

    fn queued(&self) -> usize {
        self.queued
    }

    /// What a partition has queued whose consumer has gone is not waited for.
    fn awaited(&self) -> usize {
        let awaited = |slot: &Slot<T>| if slot.abandoned { 0 } else { slot.queued() };
        self.partitions.iter().map(awaited).sum()
    }

    fn check(&self) -> Result<(), NotDispatched> {
        match self.partitions.iter().position(|slot| slot.consumer.is_none()) {
            Some(partition) => Err(NotDispatched::NoConsumer(partition)),
            None => Ok(()),
        }
    }

    fn hold(&mut self, info: Marker) -> bool {
        let waiting = self.partitions.iter_mut().filter_map(|slot| slot.hold(info).then_some(())).count();
        if waiting > 0 {
            self.infos.insert(info, waiting);
        }
        waiting > 0
    }
}

impl<T, K> Debug for PartitionDispatcher<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (demand, queued) = (self.demand, self.queued);
        f.debug_struct("PartitionDispatcher")
            .field("demand", &demand)
            .field("queued", &queued)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::Recorder;

    /// What goes beyond what is wanted is queued, and what partitions may have no room for is not asked for.
    #[test]
    fn those_who_wait_lack_as_much_for_each_partition_as_they_ask_for_at_a_time() {
        let mut dispatcher = PartitionDispatcher::new(4, |_: &u32| Some(1)).queue_size(30);
        let mut out = Recorder::default().outbox(2);
        for number in 0..2 {
            dispatcher.subscribe(ConsumerKey(number), Partition(number)).unwrap();
        }
        assert_eq!(dispatcher.starved(), 0);
        dispatcher.ask(ConsumerKey(0), 10, &mut out);
        assert_eq!((dispatcher.unmet(0), dispatcher.starved()), (10, 40));
        dispatcher.dispatch(&mut (0..25).collect(), 25, &mut out);
        assert_eq!((dispatcher.unmet(0), dispatcher.starved()), (0, 20), "room for five more");
        dispatcher.dispatch(&mut (0..5).collect(), 5, &mut out);
        assert_eq!((dispatcher.wanted(), dispatcher.starved()), (0, 0), "full");
        dispatcher.ask(ConsumerKey(1), 30, &mut out);
        assert_eq!((dispatcher.wanted(), dispatcher.starved()), (10, 40));
    }
}
