//! Lines 118 to 151 of the catalogue: dispatchers on their own. The numbers are those of the catalogue's lines.

use genstage::testing::DispatcherProbe;
use genstage::{
    BroadcastDispatcher, ConsumerKey, DemandDispatcher, Dispatcher, NotDispatched, Partition,
    PartitionDispatcher, Selector,
};

use crate::stages::{Log, Warnings};

/// A dispatcher with a stage's account of what is owed.
struct Stage<D> {
    probe: DispatcherProbe<u32, D>,
    owed: usize,
}

type Sent = Vec<(ConsumerKey, Vec<u32>)>;

impl<D: Dispatcher<u32>> Stage<D> {
    fn new(dispatcher: D) -> Self {
        Self { probe: DispatcherProbe::new(dispatcher), owed: 0 }
    }

    fn subscribe(&mut self, options: D::Options) -> ConsumerKey {
        self.probe.subscribe(options).unwrap()
    }

    /// What goes upstream.
    fn ask(&mut self, consumer: ConsumerKey, demand: usize) -> usize {
        self.probe.ask(consumer, demand);
        self.claim()
    }

    fn cancel(&mut self, consumer: ConsumerKey) -> usize {
        self.probe.cancel(consumer);
        self.claim()
    }

    fn claim(&mut self) -> usize {
        let unmet = self.probe.unmet(self.owed);
        self.owed += unmet;
        unmet
    }

    /// What was sent, and what is left over.
    fn dispatch(&mut self, events: impl IntoIterator<Item = u32>) -> (Sent, Vec<u32>) {
        let events: Vec<_> = events.into_iter().collect();
        let count = events.len();
        let left = self.probe.dispatch_owed(events, self.owed);
        self.owed -= (count - left.len()).min(self.owed);
        (self.probe.sent(), left)
    }
}

#[test]
fn c118_demand_subscribe_and_cancel() {
    let mut stage = Stage::new(DemandDispatcher::new());
    let x = stage.subscribe(());
    assert_eq!((stage.claim(), stage.cancel(x)), (0, 0));
}

#[test]
fn c121_demand_of_one_consumer() {
    let mut stage = Stage::new(DemandDispatcher::new());
    let x = stage.subscribe(());
    assert_eq!(stage.ask(x, 3), 3);
    assert_eq!(stage.dispatch([1]), (vec![(x, vec![1])], vec![]));
    assert_eq!((stage.ask(x, 3), stage.probe.wanted()), (3, 5));
    assert_eq!(stage.dispatch(2..9), (vec![(x, vec![2, 3, 4, 5, 6])], vec![7, 8]));
    assert_eq!(stage.dispatch([9, 10]), (vec![], vec![9, 10]));
}

#[test]
fn c122_demand_of_three_consumers() {
    let mut stage = Stage::new(DemandDispatcher::new());
    let [x, y, z] = [(); 3].map(|()| stage.subscribe(()));
    let passed = [(x, 4), (y, 2), (z, 3), (z, 2), (y, 4)].map(|(consumer, n)| stage.ask(consumer, n));
    assert_eq!(passed, [4, 2, 3, 2, 4]);
    let (sent, _) = stage.dispatch(0..15);
    assert_eq!(sent, [(y, (0..6).collect()), (z, (6..11).collect()), (x, (11..15).collect())]);
}

#[test]
fn c125_c136_c145_c146_infos_at_once() {
    let mut demand = DispatcherProbe::<u32, _>::new(DemandDispatcher::new());
    demand.info(1);
    assert_eq!(demand.infos(), [1]);
    let mut broadcast = DispatcherProbe::<u32, _>::new(BroadcastDispatcher::default());
    let x = broadcast.subscribe(Selector::default()).unwrap();
    broadcast.subscribe(Selector::default()).unwrap();
    broadcast.ask(x, 3);
    broadcast.info(2);
    assert_eq!(broadcast.infos(), [2]);
    let mut partition = DispatcherProbe::<u32, _>::new(PartitionDispatcher::by_hash(2));
    partition.info(3);
    partition.subscribe(Partition(0)).unwrap();
    partition.info(4);
    assert_eq!(partition.infos(), [3, 4]);
}

fn broadcast() -> Stage<BroadcastDispatcher<u32>> {
    Stage::new(BroadcastDispatcher::default())
}

#[test]
fn c127_broadcast_subscribe_and_cancel() {
    let mut stage = broadcast();
    let x = stage.subscribe(Selector::default());
    assert_eq!((stage.claim(), stage.cancel(x)), (0, 0));
}

#[test]
fn c128_broadcast_without_consumers() {
    let mut stage = broadcast();
    let x = stage.subscribe(Selector::default());
    assert_eq!((stage.ask(x, 10), stage.probe.wanted()), (10, 10));
    assert_eq!((stage.cancel(x), stage.probe.wanted(), stage.owed), (0, 0, 10));
    assert_eq!(stage.dispatch([1, 2, 3]), (vec![], vec![1, 2, 3]));
}

#[test]
fn c129_c130_broadcast_asks_for_what_all_want() {
    let mut stage = broadcast();
    let x = stage.subscribe(Selector::default());
    assert_eq!(stage.ask(x, 10), 10);
    let y = stage.subscribe(Selector::default());
    assert_eq!(stage.probe.wanted(), 0);
    assert_eq!((stage.cancel(x), stage.ask(y, 10)), (0, 0));

    let mut stage = broadcast();
    let [x, y] = [(); 2].map(|()| stage.subscribe(Selector::default()));
    assert_eq!((stage.ask(x, 10), stage.cancel(y), stage.ask(x, 10)), (0, 10, 10));
    assert_eq!(stage.probe.wanted(), 20);
}

#[test]
fn c132_c133_broadcast_uses_what_was_asked_for_before() {
    let mut stage = broadcast();
    let x = stage.subscribe(Selector::default());
    assert_eq!(stage.ask(x, 10), 10);
    assert_eq!(stage.dispatch([1, 2, 3]).0, [(x, vec![1, 2, 3])]);
    let y = stage.subscribe(Selector::default());
    assert_eq!((stage.ask(y, 20), stage.probe.wanted()), (0, 7));
    let all: Vec<u32> = (4..11).collect();
    assert_eq!(stage.dispatch(4..11).0, [(x, all.clone()), (y, all)]);

    let mut stage = broadcast();
    let x = stage.subscribe(Selector::default());
    assert_eq!((stage.ask(x, 10), stage.cancel(x)), (10, 0));
    let y = stage.subscribe(Selector::default());
    assert_eq!(stage.ask(y, 5), 0);
    assert_eq!(stage.dispatch([1, 2, 3]).0, [(y, vec![1, 2, 3])]);
    assert_eq!((stage.probe.wanted(), stage.owed), (2, 7));
}

fn parity(partitions: usize) -> Stage<PartitionDispatcher<u32>> {
    Stage::new(PartitionDispatcher::new(partitions, move |event| Some(*event as usize % partitions)))
}

#[test]
fn c138_partition_demand_of_those_who_have_gone() {
    let mut stage = parity(2);
    let x = stage.subscribe(Partition(0));
    assert_eq!((stage.ask(x, 10), stage.cancel(x)), (10, 0));
    let x = stage.subscribe(Partition(1));
    assert_eq!((stage.ask(x, 5), stage.cancel(x)), (0, 0));
    assert_eq!(stage.dispatch([1, 2, 3, 4]), (vec![], vec![]), "queued in the partitions");
    assert_eq!(stage.owed, 6);
}

#[test]
fn c139_c140_partition_of_one() {
    let mut stage = parity(1);
    let x = stage.subscribe(Partition(0));
    assert_eq!(stage.ask(x, 3), 3);
    assert_eq!(stage.dispatch([1]).0, [(x, vec![1])]);
    assert_eq!((stage.ask(x, 3), stage.owed), (3, 5));
    assert_eq!(stage.dispatch([1, 2, 5, 6, 7, 1, 2]), (vec![(x, vec![1, 2, 5, 6, 7])], vec![1, 2]));
}

#[test]
fn c143_partition_queues_what_another_asked_for() {
    let mut stage = parity(2);
    let [x, y] = [0, 1].map(|partition| stage.subscribe(Partition(partition)));
    assert_eq!((stage.ask(x, 5), stage.ask(y, 5)), (5, 5));
    assert_eq!(stage.dispatch([0, 2]).0, [(x, vec![0, 2])]);
    assert_eq!(stage.dispatch((2..10).map(|n| 2 * n)), (vec![(x, vec![4, 6, 8])], vec![]));
    assert_eq!(stage.ask(x, 5), 5);
    assert_eq!(stage.probe.sent(), [(x, vec![10, 12, 14, 16, 18])]);
}

#[test]
fn c148_an_unknown_partition_is_discarded() {
    let mut stage = Stage::new(PartitionDispatcher::new(2, |event: &u32| Some(*event as usize)));
    let x = stage.subscribe(Partition(0));
    stage.ask(x, 5);
    assert_eq!(stage.dispatch([7, 0]), (vec![(x, vec![0])], vec![]));
}

#[test]
fn c151_partition_subscriptions_that_are_refused() {
    let mut stage = parity(2);
    stage.subscribe(Partition(0));
    assert_eq!(stage.probe.subscribe(Partition(0)), Err(NotDispatched::PartitionTaken("0".into())));
    assert_eq!(stage.probe.subscribe(Partition(2)), Err(NotDispatched::NoSuchPartition("2".into())));
}

/// Line 126: a consumer that asks for more than is expected gets it, with a warning.
#[test]
fn c126_an_ask_beyond_what_is_expected_is_reported() {
    let warnings = Warnings(Log::new());
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let mut probe = DispatcherProbe::<u32, _>::new(DemandDispatcher::new().max_demand(3));
    let x = probe.subscribe(()).unwrap();
    probe.ask(x, 3);
    assert_eq!((probe.wanted(), warnings.0.take().len()), (3, 0));
    probe.ask(x, 4);
    assert_eq!((probe.wanted(), warnings.0.take().len()), (7, 1));
}
