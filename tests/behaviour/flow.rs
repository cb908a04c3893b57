//! Every event arrives, once and in order, whatever the topology.

use genstage::prelude::*;
use proptest::prelude::*;

use crate::stages::{Collect, Counter, Log, Pass};

/// Counts, and checks that the events come one after the other.
#[stage(consumer)]
struct InOrder {
    next: u64,
    seen: Log<u64>,
}

impl Consumer for InOrder {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        for event in events.drain() {
            assert_eq!(event, self.next);
            self.next += 1;
        }
        Ok(())
    }

    async fn terminate(&mut self, _: &genstage::Reason) {
        self.seen.push(self.next);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_million_events_end_by_themselves_each_once_and_in_order() {
    const EVENTS: u64 = 10_000_000;
    let seen = Log::new();
    let sink = InOrder { next: 0, seen: seen.clone() };
    let summary = pipeline! {
        source = Counter::below(EVENTS);
        pass = Pass::new();
        sink = sink;
        source => pass => sink;
    }
    .run()
    .await
    .unwrap();
    assert_eq!(seen.take(), [EVENTS]);
    for (stage, events_in, events_out) in
        [("source", 0, EVENTS), ("pass", EVENTS, EVENTS), ("sink", EVENTS, 0)]
    {
        let stage = summary.stage(stage).unwrap();
        assert_eq!(
            (stage.events_in, stage.events_out, stage.discarded, stage.lost),
            (events_in, events_out, 0, 0)
        );
        assert!(stage.reason.is_normal());
    }
}

fn sorted(batches: Vec<Vec<u64>>) -> Vec<u64> {
    let mut events = batches.concat();
    events.sort_unstable();
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_events_and_a_consumer_merges_several_producers() {
    let batches = Log::new();
    let sink = Collect { batches: batches.clone() };
    let app = pipeline! {
        source = Counter::below(100_000);
        pass = Pass::new(), replicas: 3;
        sink = sink;
        source => pass => sink;
    };
    assert_eq!(app.pass.each_ref().map(|pass| pass.name()), ["pass[0]", "pass[1]", "pass[2]"]);
    let summary = app.run().await.unwrap();
    assert_eq!(sorted(batches.take()), (0..100_000).collect::<Vec<_>>());
    let passed: u64 = (0..3).map(|i| summary.stage(&format!("pass[{i}]")).unwrap().events_out).sum();
    assert_eq!(passed, 100_000);
}

#[tokio::test]
async fn fan_out_to_a_group_and_fan_in_from_it() {
    let batches = Log::new();
    let (left, right, sink) = (Pass::new(), Pass::new(), Collect { batches: batches.clone() });
    let summary = pipeline! {
        source = Counter::below(1000);
        left = left;
        right = right;
        sink = sink;
        source => { left [max_demand: 10], right [max_demand: 10] } => sink;
    }
    .run()
    .await
    .unwrap();
    assert_eq!(sorted(batches.take()), (0..1000).collect::<Vec<_>>());
    let [left, right] = ["left", "right"].map(|name| summary.stage(name).unwrap().events_in);
    assert!(left > 0 && right > 0 && left + right == 1000, "{left} and {right}");
}

/// A finite pipeline completes and loses nothing when one of two producers ends long before the other.
#[tokio::test]
async fn the_end_of_one_producer_does_not_end_its_consumer() {
    let batches = Log::new();
    let sink = Collect { batches: batches.clone() };
    pipeline! {
        short = from_iter(0..3);
        long = from_iter(3..5000);
        sink = sink;
        { short, long } => sink [max_demand: 10];
    }
    .run()
    .await
    .unwrap();
    assert_eq!(sorted(batches.take()), (0..5000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_replica_count_that_is_no_literal_gives_a_vec_of_handles() {
    let count = 4;
    let app = pipeline! {
        source = from_iter(0..100u64);
        pass = Pass::new(), replicas: count;
        source => pass => for_each(|_: u64| ());
    };
    let names: Vec<_> = app.pass.iter().map(|pass| pass.name().to_owned()).collect();
    assert_eq!(names, ["pass[0]", "pass[1]", "pass[2]", "pass[3]"]);
    app.run().await.unwrap();
}

/// The number of replicas, and their size, have nothing to do with the size of the stack.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_thousand_replicas() {
    #[stage(producer_consumer)]
    struct Large([u8; 16 * 1024]);

    impl ProducerConsumer for Large {
        type Input = u64;
        type Output = u64;

        async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
            cx.emit_all(events.drain().map(|n| n + u64::from(self.0[0])));
            Ok(())
        }
    }

    let batches = Log::new();
    let sink = Collect { batches: batches.clone() };
    let run = async {
        pipeline! {
            source = Counter::below(5000);
            large = Large([0; 16 * 1024]), replicas: 1000u64;
            sink = sink;
            source => large [max_demand: 2] => sink;
        }
        .run()
        .await
    };
    tokio::spawn(run).await.unwrap().unwrap();
    assert_eq!(sorted(batches.take()), (0..5000).collect::<Vec<_>>());
}

/// Demand without bound of one consumer takes nothing away from another's.
#[tokio::test]
async fn unbounded_demand_is_not_lost() {
    let taken = Log::new();
    let [few, more] = [5, 7].map(|enough| crate::stages::First { enough, taken: taken.clone() });
    pipeline! {
        few = few;
        more = more;
        from_iter(0..) => { few [max_demand: usize::MAX], more [max_demand: usize::MAX] };
    }
    .run()
    .await
    .unwrap();
    assert_eq!(taken.take().len(), 12);
}

/// Emits more or less than is asked for, by a script.
#[stage(producer, buffer_size = unbounded)]
struct Bursts {
    bursts: std::vec::IntoIter<usize>,
    next: u64,
}

impl Producer for Bursts {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        // Demand that is not met is not announced again, so go on until something came of it.
        let emitted = self.bursts.find(|&burst| burst > 0);
        match emitted {
            Some(burst) => cx.emit_all(self.next..self.next + burst as u64),
            None => cx.finish(),
        }
        self.next += emitted.unwrap_or(0) as u64;
        Ok(())
    }
}

fn window() -> impl Strategy<Value = (usize, usize)> {
    (1usize..50).prop_flat_map(|max| (Just(max), 0..max))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the windows and however much the handlers emit, a chain loses nothing and keeps the order.
    #[test]
    fn chains_keep_every_event_in_order(
        windows in prop::array::uniform3(window()),
        bursts in prop::collection::vec(20usize..120, 0..40),
        copies in 1usize..4,
    ) {
        let batches = Log::new();
        let total = bursts.iter().sum::<usize>() as u64;
        let sink = Collect { batches: batches.clone() };
        let source = Bursts { bursts: bursts.into_iter(), next: 0 };
        let [(max, min), (max2, min2), (max3, min3)] = windows;
        // Only a fast producer is sure to be asked again: one that stays behind what is wanted is not.
        let run = async {
            pipeline! {
                source = source;
                copy = flat_map(move |n: u64| std::iter::repeat_n(n, copies));
                pass = Pass::new();
                sink = sink;
                source => copy [max_demand: max.min(20), min_demand: min.min(max.min(20) - 1)]
                    => pass [max_demand: max2, min_demand: min2]
                    => sink [max_demand: max3, min_demand: min3];
            }
            .run()
            .await
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run).unwrap();
        let batches = batches.take();
        prop_assert!(batches.iter().all(|batch| batch.len() <= max3 - min3));
        prop_assert!(batches.concat().into_iter().eq((0..total).flat_map(|n| std::iter::repeat_n(n, copies))));
    }
}
