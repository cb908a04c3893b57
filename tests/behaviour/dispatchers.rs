//! Dispatchers in pipelines.

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Cancel, Failure, Reason, Subscribe, stable_hash};

use crate::stages::{Collect, Log};

/// Emits what is asked for, from 0 up to below `end`, to everyone.
#[stage(producer, dispatcher = broadcast)]
struct Broadcast(Numbers);

/// By the rest of a division by three; the third rest is nobody's.
#[stage(producer, dispatcher = partition(2, index = |n: &u64| usize::try_from(n % 3).ok().filter(|rest| *rest < 2), queue_size = 5))]
struct ByRest(Numbers);

#[stage(producer, dispatcher = partition(3))]
struct ByHash(Numbers);

struct Numbers {
    next: u64,
    end: u64,
    demands: Log<usize>,
}

impl Numbers {
    fn below(end: u64) -> Self {
        Self { next: 0, end, demands: Log::new() }
    }

    /// The next `demand` numbers, and whether they are the last.
    fn take(&mut self, demand: usize) -> (std::ops::Range<u64>, bool) {
        self.demands.push(demand);
        let end = self.end.min(self.next + demand as u64);
        let numbers = self.next..end;
        self.next = end;
        (numbers, end == self.end)
    }
}

macro_rules! producer {
    ($($name:ident),*) => {$(
        impl Producer for $name {
            type Event = u64;

            async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
                let (numbers, last) = self.0.take(demand);
                cx.emit_all(numbers);
                if last {
                    cx.finish();
                }
                Ok(())
            }
        }
    )*};
}

producer!(Broadcast, ByRest, ByHash, ByParity);

fn sinks<const N: usize>() -> ([Collect<u64>; N], [Log<Vec<u64>>; N]) {
    let sinks = std::array::from_fn(|_| Collect::new());
    let logs = sinks.each_ref().map(|sink: &Collect<u64>| sink.batches.clone());
    (sinks, logs)
}

#[tokio::test]
async fn a_broadcast_reaches_everyone_at_the_pace_of_the_slowest() {
    let ([fast, slow, odd], logs) = sinks();
    pipeline! {
        source = Broadcast(Numbers::below(1000));
        fast = fast;
        slow = slow;
        odd = odd;
        source => { fast, slow [max_demand: 3], odd [selector: |n| n % 2 == 1] };
    }
    .run()
    .await
    .unwrap();
    let [fast, slow, odd] = logs.map(|log| log.take());
    assert_eq!(fast.concat(), (0..1000).collect::<Vec<_>>());
    assert_eq!(slow.concat(), fast.concat());
    assert_eq!(odd.concat(), (0..1000).filter(|n| n % 2 == 1).collect::<Vec<_>>());
    // Defect D12: what a selector leaves nothing of is not sent.
    assert!(odd.iter().all(|batch| !batch.is_empty()));
    assert!(fast.iter().all(|batch| batch.len() <= 3));
}

/// Replicas take the partition of their number; the same event always goes to the same one.
#[tokio::test]
async fn replicas_are_partitions() {
    let logs: [Log<Vec<u64>>; 3] = std::array::from_fn(|_| Log::new());
    let mut sinks = logs.clone().into_iter().map(|batches| Collect { batches });
    let app = pipeline! {
        source = ByHash(Numbers::below(3000));
        sink = sinks.next().unwrap(), replicas: 3;
        source => sink [max_demand: 10];
    };
    app.run().await.unwrap();
    for (partition, log) in logs.iter().enumerate() {
        let events = log.take().concat();
        assert!(events.len() > 500 && events.is_sorted());
        assert!(events.iter().all(|event| stable_hash(event) % 3 == partition as u64));
    }
}

/// The hash is FNV-1a, whatever the machine and the version: of eight zero bytes, and of the text and the byte 0xff behind it.
#[test]
fn the_hash_is_stable() {
    assert_eq!(stable_hash(&0u64), 0xa8c7_f832_281a_39c5);
    assert_eq!(stable_hash("GenStage"), 790_355_926_008_119_846);
}

/// Defect D3: events that are for no partition do not use up demand for ever.
#[tokio::test]
async fn d3_discarded_events_are_asked_for_anew() {
    let ([zero, one], logs) = sinks();
    let summary = pipeline! {
        source = ByRest(Numbers::below(3000));
        zero = zero;
        one = one;
        source => { zero [partition: 0, max_demand: 10], one [partition: 1, max_demand: 10] };
    }
    .run()
    .await
    .unwrap();
    let [zero, one] = logs.map(|log| log.take().concat());
    assert!(zero.into_iter().eq((0..3000).step_by(3)));
    assert!(one.into_iter().eq((1..3000).step_by(3)));
    assert_eq!(summary.stage("source").unwrap().discarded, 1000);
}

/// Defect D4: a partition that nobody serves does not starve the others, until its queue is full; nothing is lost then.
#[tokio::test(start_paused = true)]
async fn d4_a_partition_without_a_consumer_starves_nobody_until_its_queue_is_full() {
    let ([zero, one], [zeros, ones]) = sinks();
    let (source, zero, one) = (ByRest(Numbers::below(3000)).spawn(), zero.spawn(), one.spawn());
    let subscribe = |partition| Subscribe::new().max_demand(4).min_demand(0).partition(partition);
    zero.subscribe(&source, subscribe(0)).await.unwrap();
    settle().await;
    let served = zeros.take().concat();
    assert!(served.len() >= 5, "{served:?}, while five events were queued for the other partition");
    settle().await;
    assert!(zeros.take().is_empty(), "the queue is full");
    one.subscribe(&source, subscribe(1)).await.unwrap();
    settle().await;
    let all = [served, zeros.take().concat()].concat();
    assert!(all.into_iter().eq((0..3000).step_by(3)));
    assert!(ones.take().concat().into_iter().eq((1..3000).step_by(3)));
}

/// Line 151 of the catalogue, for pipelines.
#[tokio::test]
async fn c151_partitions_that_do_not_fit_are_refused_with_the_edge() {
    let (([one, two, three], _), taken) = (sinks(), 1);
    let run = pipeline! {
        source = ByRest(Numbers::below(10));
        one = one;
        two = two;
        three = three;
        source => { one [partition: 1], two [partition: taken], three [partition: 2] };
    };
    let refused = run.run().await.unwrap_err();
    assert!(matches!(refused, Failure::Refused(_)));
    assert_eq!(
        refused.to_string(),
        "the pipeline was not started: edge `source => two`: partition 1 has a consumer already; \
         edge `source => three`: there is no partition 2"
    );
}

#[derive(Debug)]
enum Parity {
    Even,
    Odd,
}

/// By the values of an enum; what ends in 9 is for nobody.
#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd], by = parity))]
struct ByParity(Numbers);

fn parity(n: &u64) -> Option<Parity> {
    match n % 10 {
        9 => None,
        n if n % 2 == 0 => Some(Parity::Even),
        _ => Some(Parity::Odd),
    }
}

#[tokio::test]
async fn partitions_may_be_the_values_of_an_enum() {
    let ([evens, odds], [even, odd]) = sinks();
    let source = ByParity(Numbers::below(1000));
    let summary = pipeline! {
        source = source;
        evens = evens;
        odds = odds;
        source => { evens [partition: Parity::Even], odds [partition: Parity::Odd] };
    }
    .run()
    .await
    .unwrap();
    assert!(even.take().concat().into_iter().eq((0..1000).filter(|n| n % 2 == 0)));
    assert!(odd.take().concat().into_iter().eq((0..1000).filter(|n| n % 2 == 1 && n % 10 != 9)));
    assert_eq!(summary.stage("source").unwrap().discarded, 100);
}

/// The value is named as the program does.
#[tokio::test(start_paused = true)]
async fn a_partition_of_an_enum_is_taken_by_name() {
    let ([one, two], _) = sinks();
    let (source, one, two) = (ByParity(Numbers::below(10_000)).spawn(), one.spawn(), two.spawn());
    let odd = || Subscribe::new().partition(Parity::Odd);
    one.subscribe(&source, odd()).await.unwrap();
    two.subscribe(&source, odd()).await.unwrap();
    assert_eq!(two.ended().await.to_string(), "partition Odd has a consumer already");
}

/// What a partition has queued keeps a stage that has finished from ending, until nobody is left who would take it.
#[tokio::test(start_paused = true)]
async fn the_end_waits_for_what_partitions_have_queued() {
    let ([evens, odds], [even, odd]) = sinks();
    let (source, evens, odds) = (ByParity(Numbers::below(100)).spawn(), evens.spawn(), odds.spawn());
    let subscribe = |partition| Subscribe::new().partition(partition).cancel(Cancel::Temporary);
    evens.subscribe(&source, subscribe(Parity::Even)).await.unwrap();
    settle().await;
    assert_eq!((even.take().concat().len(), source.has_ended()), (50, false));
    odds.subscribe(&source, subscribe(Parity::Odd)).await.unwrap();
    settle().await;
    assert_eq!((odd.take().concat().len(), source.has_ended()), (40, true));

    let ([evens, odds], [even, _]) = sinks();
    let (source, evens, odds) = (ByParity(Numbers::below(100)).spawn(), evens.spawn(), odds.spawn());
    let odd = odds.subscribe(&source, subscribe(Parity::Odd).max_demand(1).min_demand(0)).await.unwrap();
    odds.cancel(&odd, Reason::Normal).await;
    evens.subscribe(&source, subscribe(Parity::Even)).await.unwrap();
    settle().await;
    assert_eq!((even.take().concat().len(), source.has_ended()), (50, true));
}

#[tokio::test]
async fn a_pipeline_with_a_partition_for_nobody_is_refused() {
    let source = ByHash(Numbers::below(10));
    let refused = pipeline! { source = source; sink = Collect::<u64>::new(), replicas: 2; source => sink; }
        .run()
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the pipeline was not started: node `source`: partition 2 has no consumer: its events would wait for ever"
    );
}

/// Hands on what comes, by its partition, of which one stands still.
#[stage(producer_consumer, dispatcher = partition(4, index = |n: &u64| usize::try_from(*n).ok(), queue_size = 100), buffer_size = 200)]
struct Parting;

impl ProducerConsumer for Parting {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }
}

/// In the middle, too, nothing more is taken in while a partition's queue is full, though others want something.
#[tokio::test(start_paused = true)]
async fn a_full_partition_in_the_middle_holds_up_what_is_before_it() {
    let app = pipeline! {
        source = from_iter(std::iter::repeat(3));
        parting = Parting;
        stuck = Stuck, replicas: 4;
        source => parting [max_demand: 100] => stuck [max_demand: 100];
    }
    .start()
    .unwrap();
    settle().await;
    let parting = app.parting.snapshot().await.unwrap();
    // What is with the consumer, what its partition has queued, and a message.
    assert_eq!((parting.events_out, parting.discarded), (100, 0));
    assert!(parting.events_in <= 100 + 100 + 100, "{parting:?}");
    app.abort().await.unwrap();
}

/// Is busy for ever.
#[stage(consumer)]
struct Stuck;

impl Consumer for Stuck {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        std::future::pending().await
    }
}
