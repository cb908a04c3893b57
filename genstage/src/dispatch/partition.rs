use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHashMap;

use super::{ConsumerKey, Dispatcher, NotDispatched, Outbox};
use crate::buffer::Marker;

/// Sends every event to the consumer of its partition; a function says which partition that is.
///
/// Each partition has one consumer at a time. Events of a partition whose consumer has no demand, or that has no consumer,
/// are queued in the partition. A partition that is served slowly, or not at all, does not hold up the others until its
/// queue is full; from then on nothing more is taken in until there is room, so that nothing is lost and every partition's
/// order is kept. Events for which the function says `None` are discarded, counted, and asked for anew; so are those for which
/// it names a partition that there is not, with a `tracing` warning.
///
/// O(events + consumers served) for each batch, O(1) for each ask, besides what the partition has queued.
pub struct PartitionDispatcher<T> {
    partition_of: Box<PartitionOf<T>>,
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
    /// The partitions that events of the present call go to.
    served: Vec<usize>,
}

type PartitionOf<T> = dyn Fn(&T) -> Option<usize> + Send;

/// Which partition a subscription is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partition(pub usize);

struct Slot<T> {
    consumer: Option<ConsumerKey>,
    state: State<T>,
    /// What goes to the consumer at the end of the present call.
    batch: Vec<T>,
}

/// A partition either waits for events, or has some that nobody asked for.
enum State<T> {
    Waiting(usize),
    Queued { entries: VecDeque<Entry<T>>, events: usize },
}

enum Entry<T> {
    Event(T),
    Info(Marker),
}

impl<T> State<T> {
    fn empty_queue() -> Self {
        Self::Queued { entries: VecDeque::new(), events: 0 }
    }
}

impl<T> Slot<T> {
    fn new() -> Self {
        Self { consumer: None, state: State::Waiting(0), batch: Vec::new() }
    }
}

impl<T> PartitionDispatcher<T> {
    /// How many events a partition queues at most, where nothing else is stated.
    pub const QUEUE_SIZE: usize = 10_000;

    /// A dispatcher over the partitions from 0 to below `partitions`.
    pub fn new(partitions: usize, partition_of: impl Fn(&T) -> Option<usize> + Send + 'static) -> Self {
        Self {
            partition_of: Box::new(partition_of),
            partitions: (0..partitions).map(|_| Slot::new()).collect(),
            queue_size: Self::QUEUE_SIZE,
            consumers: Vec::new(),
            demand: 0,
            queued: 0,
            full: 0,
            infos: FxHashMap::default(),
            served: Vec::new(),
        }
    }

    /// A dispatcher by the [hash](stable_hash) of a key of each event.
    pub fn by_key<K: Hash>(partitions: usize, key: impl Fn(&T) -> K + Send + 'static) -> Self {
        let count = partitions.max(1) as u64;
        // Below `partitions`, so it is a `usize`.
        Self::new(partitions, move |event| usize::try_from(stable_hash(&key(event)) % count).ok())
    }

    /// How many events a partition queues at most.
    #[must_use]
    pub fn queue_size(mut self, events: usize) -> Self {
        self.queue_size = events;
        self
    }

    /// Gives one event to a partition; back if its queue is full.
    fn place(&mut self, partition: usize, event: T) -> Result<(), T> {
        let slot = &mut self.partitions[partition];
        match &mut slot.state {
            State::Waiting(demand) if *demand > 0 => {
                *demand -= 1;
                self.demand -= 1;
                if slot.batch.is_empty() {
                    self.served.push(partition);
                }
                slot.batch.push(event);
                // From now on infos wait here for the next ask, as in GenStage.
                if *demand == 0 {
                    slot.state = State::empty_queue();
                }
                return Ok(());
            }
            State::Waiting(_) => slot.state = State::empty_queue(),
            State::Queued { .. } => {}
        }
        let State::Queued { entries, events } = &mut slot.state else { return Err(event) };
        if *events >= self.queue_size {
            return Err(event);
        }
        entries.push_back(Entry::Event(event));
        *events += 1;
        self.queued += 1;
        self.full += usize::from(*events == self.queue_size);
        Ok(())
    }

    /// Demand that nothing has come for. What is queued counts as if it had met demand: the consumer whose queue it is in
    /// asks for as much again.
    fn open(&self) -> usize {
        if self.full > 0 { 0 } else { saturated(self.demand.saturating_sub(self.queued as u128)) }
    }

    /// Sends what has been placed for consumers with demand.
    fn flush(&mut self, out: &mut Outbox<T>) {
        for partition in self.served.drain(..) {
            let slot = &mut self.partitions[partition];
            if let Some(consumer) = slot.consumer {
                let spare = out.spare();
                out.send(consumer, std::mem::replace(&mut slot.batch, spare));
            }
        }
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

/// The hash by which events are partitioned: 64-bit FNV-1a over what [`Hash`] feeds it, integers in little-endian order,
/// `usize` as `u64`. The same on every machine, in every process and in every version of this crate.
pub fn stable_hash<K: Hash + ?Sized>(key: &K) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    key.hash(&mut hasher);
    hasher.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u16(&mut self, n: u16) {
        self.write(&n.to_le_bytes());
    }

    fn write_u32(&mut self, n: u32) {
        self.write(&n.to_le_bytes());
    }

    fn write_u64(&mut self, n: u64) {
        self.write(&n.to_le_bytes());
    }

    fn write_u128(&mut self, n: u128) {
        self.write(&n.to_le_bytes());
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn saturated(demand: u128) -> usize {
    usize::try_from(demand).unwrap_or(usize::MAX)
}

impl<T: Send + 'static> Dispatcher<T> for PartitionDispatcher<T> {
    type Options = Partition;

    fn subscribe(
        &mut self,
        consumer: ConsumerKey,
        Partition(number): Partition,
    ) -> Result<(), NotDispatched> {
        let slot = self.partitions.get_mut(number).ok_or(NotDispatched::NoSuchPartition(number))?;
        if slot.consumer.is_some() {
            return Err(NotDispatched::PartitionTaken(number));
        }
        slot.consumer = Some(consumer);
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
        slot.consumer = None;
        match &mut slot.state {
            State::Waiting(demand) => self.demand -= std::mem::take(demand) as u128,
            // Events stay, for the next consumer of the partition. Infos do not wait for one.
            State::Queued { entries, .. } => entries.retain(|entry| match entry {
                Entry::Event(_) => true,
                Entry::Info(info) => {
                    Self::release(&mut self.infos, *info, out);
                    false
                }
            }),
        }
    }

    fn ask(&mut self, consumer: ConsumerKey, mut demand: usize, out: &mut Outbox<T>) {
        let Some(partition) = self.consumers.get(consumer.index()).copied().flatten() else { return };
        let slot = &mut self.partitions[partition];
        if let State::Queued { entries, events } = &mut slot.state {
            let was_full = *events >= self.queue_size;
            let mut batch = out.spare();
            while demand > 0 {
                match entries.pop_front() {
                    Some(Entry::Event(event)) => {
                        batch.push(event);
                        demand -= 1;
                        *events -= 1;
                        self.queued -= 1;
                    }
                    Some(Entry::Info(info)) => {
                        if !batch.is_empty() {
                            let spare = out.spare();
                            out.send(consumer, std::mem::replace(&mut batch, spare));
                        }
                        Self::release(&mut self.infos, info, out);
                    }
                    None => break,
                }
            }
            self.full -= usize::from(was_full && *events < self.queue_size);
            let more_wanted = demand > 0;
            match batch.is_empty() {
                true => out.recycle(batch),
                false => out.send(consumer, batch),
            }
            if !more_wanted {
                return;
            }
            slot.state = State::Waiting(0);
        }
        if let State::Waiting(waiting) = &mut slot.state {
            let added = demand.min(usize::MAX - *waiting);
            *waiting += added;
            self.demand += added as u128;
        }
    }

    /// They go to the front of the partition's queue, for its next consumer.
    fn take_back(&mut self, consumer: ConsumerKey, given: Vec<T>, _: &mut Outbox<T>) -> Vec<T> {
        let Some(partition) = self.consumers.get(consumer.index()).copied().flatten() else { return given };
        let slot = &mut self.partitions[partition];
        if let State::Waiting(demand) = &mut slot.state {
            self.demand -= std::mem::take(demand) as u128;
            slot.state = State::empty_queue();
        }
        if let State::Queued { entries, events } = &mut slot.state {
            let was_full = *events >= self.queue_size;
            *events += given.len();
            self.queued += given.len();
            given.into_iter().rev().for_each(|event| entries.push_front(Entry::Event(event)));
            self.full += usize::from(!was_full && *events >= self.queue_size);
        }
        Vec::new()
    }

    fn wanted(&self) -> usize {
        match self.open() {
            0 => self.starved(),
            open => open,
        }
    }

    fn unmet(&self, owed: usize) -> usize {
        self.open().saturating_sub(owed)
    }

    fn starved(&self) -> usize {
        if self.full > 0 { 0 } else { saturated(self.demand) }
    }

    fn takes(&self, owed: usize) -> usize {
        owed
    }

    fn dispatch(&mut self, events: &mut Vec<T>, count: usize, out: &mut Outbox<T>) {
        let mut refused = out.spare();
        let mut coming = events.drain(..count.min(events.len()));
        while let Some(event) = coming.next() {
            match (self.partition_of)(&event) {
                Some(partition) if partition < self.partitions.len() => {
                    if let Err(event) = self.place(partition, event) {
                        refused.push(event);
                        refused.extend(coming.by_ref());
                    }
                }
                Some(partition) => {
                    tracing::warn!(
                        partition,
                        partitions = self.partitions.len(),
                        "unknown partition: event discarded"
                    );
                    out.discard(1);
                }
                None => out.discard(1),
            }
        }
        drop(coming);
        if !refused.is_empty() {
            refused.append(events);
            std::mem::swap(&mut refused, events);
        }
        out.recycle(refused);
        self.flush(out);
    }

    fn hold(&mut self, info: Marker) -> bool {
        let mut waiting = 0;
        for slot in &mut self.partitions {
            if let State::Queued { entries, .. } = &mut slot.state {
                entries.push_back(Entry::Info(info));
                waiting += 1;
            }
        }
        if waiting > 0 {
            self.infos.insert(info, waiting);
        }
        waiting > 0
    }
}

impl<T> std::fmt::Debug for PartitionDispatcher<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (demand, queued) = (self.demand, self.queued);
        f.debug_struct("PartitionDispatcher")
            .field("demand", &demand)
            .field("queued", &queued)
            .finish_non_exhaustive()
    }
}
