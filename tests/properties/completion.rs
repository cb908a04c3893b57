//! A topology whose sources end comes to its end by itself, and loses nothing.

use futures_util::future::join_all;
use genstage::testing::settle;
use genstage::{Cancel, DemandMode};
use proptest::prelude::*;

use crate::runtime::{on_one_thread, on_two_threads};
use crate::topology::{Dispatch, Edge, Kind, StageSpec, lossless, window};
use crate::world::{At, Op, World};

/// A topology and who subscribes to whom.
#[derive(Clone, Debug)]
struct Wired {
    topology: Vec<StageSpec>,
    edges: Vec<(usize, usize, Edge)>,
}

impl Wired {
    /// Every consumer has some producers of earlier layers, as the bits of its number choose, and every producer some
    /// consumer. A partition for each consumer, and a consumer for each partition.
    fn new(topology: Vec<StageSpec>, bits: &[usize], windows: &[(usize, usize)]) -> Self {
        let mut wired = Self { topology, edges: vec![] };
        let mut windows = windows.iter().cycle().copied();
        for (stage, bits) in bits.iter().enumerate().take(wired.topology.len()) {
            let layer = wired.topology[stage].layer;
            let earlier = wired.topology.iter().filter(|spec| spec.layer < layer).count();
            for producer in
                (0..earlier).filter(|producer| bits % earlier == *producer || bits >> producer & 1 == 1)
            {
                wired.connect(stage, producer, windows.next().unwrap());
            }
        }
        for producer in 0..wired.topology.len() {
            let alone = !wired.edges.iter().any(|(_, other, _)| *other == producer);
            if alone && wired.topology[producer].kind.output().is_some() {
                wired.connect(wired.topology.len() - 1, producer, windows.next().unwrap());
            }
        }
        wired
    }

    fn connect(&mut self, consumer: usize, producer: usize, (max, min): (usize, usize)) {
        let partition = self.edges.iter().filter(|(_, other, _)| *other == producer).count();
        let edge = Edge { max, min, cancel: Cancel::Complete, partition, lane: None };
        self.edges.push((consumer, producer, edge));
        if let Kind::Source { output, .. } | Kind::Middle { output, .. } = &mut self.topology[producer].kind
            && let Dispatch::Partition(partitions) = &mut output.dispatch
        {
            partitions.count = partition + 1;
        }
    }

    /// Starts the stages and wires them; only then do events flow.
    async fn start(&self) -> World {
        let mut world = World::start(&self.topology, |source| {
            source.demand = DemandMode::Accumulate;
            source.finishes = true;
        });
        let sources = self.topology.iter().filter(|spec| spec.layer == 0).count();
        let subscribe = self.edges.iter().cloned().map(|(consumer, producer, edge)| {
            // Numbers pick among those that consume, and among those of earlier layers.
            Op::Subscribe { consumer: consumer - sources, producer, edge }
        });
        world.act(&subscribe.collect::<Vec<_>>(), 0).await;
        assert_eq!(world.links.len(), self.edges.len());
        let forward =
            (0..sources).map(|stage| Op::SetDemand { at: At::Stage(stage), mode: DemandMode::Forward });
        world.act(&forward.collect::<Vec<_>>(), 0).await;
        world
    }

    async fn play_on_one_thread(&self) {
        let world = self.start().await;
        settle().await;
        let running: Vec<_> =
            world.stages.iter().enumerate().filter(|(_, stage)| !stage.handle.has_ended()).collect();
        assert!(
            running.is_empty(),
            "stages {:?} have not ended",
            running.iter().map(|(i, _)| i).collect::<Vec<_>>()
        );
        everything_has_arrived(world).await;
    }

    async fn play_on_two_threads(&self) {
        let world = self.start().await;
        everything_has_arrived(world).await;
    }
}

/// All stages end normally, and every event has arrived: at one consumer, or, if it is broadcast, at all of them.
async fn everything_has_arrived(mut world: World) {
    let reasons = join_all(world.stages.iter().map(|stage| stage.handle.ended())).await;
    assert!(reasons.iter().all(|reason| reason.is_normal()), "{reasons:?}");
    world.keep_books().await;
    for (number, stage) in world.stages.iter().enumerate() {
        let Some(account) = &stage.account else { continue };
        let received: Vec<_> = world
            .links
            .iter()
            .filter(|link| link.producer == number)
            .map(|link| link.received.len() as u64)
            .collect();
        let emitted = account.emitted;
        let what = format!("stage {number}: {:?}, {received:?} of {emitted}", account.spec.dispatch);
        match account.spec.dispatch {
            Dispatch::Broadcast => assert!(received.iter().all(|received| *received == emitted), "{what}"),
            Dispatch::Demand | Dispatch::Partition(_) => {
                assert_eq!(received.iter().sum::<u64>(), emitted, "{what}")
            }
        }
        assert_eq!((account.tally.alive(), account.tally.dropped()), (0, 0), "{what}");
    }
}

fn wired() -> impl Strategy<Value = Wired> {
    let bits = prop::collection::vec(0..1000usize, 20);
    (lossless(), bits, prop::collection::vec(window(), 1..8))
        .prop_map(|(topology, bits, windows)| Wired::new(topology, &bits, &windows))
}

proptest! {
    #[test]
    fn everything_ends_and_everything_arrives(wired in wired()) {
        on_one_thread(wired.play_on_one_thread());
        on_two_threads(wired.play_on_two_threads());
    }
}
