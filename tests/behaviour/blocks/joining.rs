//! `merge`, `zip` and `partition_by`.

use std::collections::HashMap;

use genstage::Reason;
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe, settle};

use crate::stages::{Collect, Counter, Log};

#[tokio::test(start_paused = true)]
async fn merged_events_come_as_they_come_and_keep_the_order_of_their_producer() {
    let ((mut left, a), (mut right, b)) = (ProducerProbe::new(), ProducerProbe::new());
    let (mut down, sink) = ConsumerProbe::new();
    let _app = pipeline! { a = a; b = b; sink = sink; { a, b } => merge() => sink; }.start().unwrap();
    down.ask(100).await;
    right.emit([10, 11]).await;
    down.expect_events([10, 11]).await;
    left.emit([1, 2]).await;
    right.emit([12]).await;
    down.expect_events([1, 2, 12]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merged_and_shared_each_event_comes_once() {
    let sink = Collect::new();
    let batches = sink.batches.clone();
    pipeline! {
        counters = Counter::below(10_000), replicas: 3;
        sink = Collect { batches: batches.clone() }, replicas: 4;
        counters => merge() => sink;
    }
    .run()
    .await
    .unwrap();
    let mut events: Vec<u64> = batches.take().concat();
    events.sort_unstable();
    let each = (0..10_000).flat_map(|n| [n; 3]);
    assert!(events.into_iter().eq(each));
}

#[tokio::test(start_paused = true)]
async fn pairs_are_made_in_order() {
    let ((mut left, names), (mut right, numbers)) = (ProducerProbe::new(), ProducerProbe::new());
    let (mut down, sink) = ConsumerProbe::new();
    let _app = pipeline! {
        names = names;
        numbers = numbers;
        sink = sink;
        { names |> map(Half::First), numbers |> map(Half::Second) } => zip() => sink;
    }
    .start()
    .unwrap();
    down.ask(10).await;
    left.emit(["to", "be"]).await;
    down.expect_no_events().await;
    right.emit([1]).await;
    down.expect_events([("to", 1)]).await;
    right.emit([2, 3]).await;
    down.expect_events([("be", 2)]).await;
    left.emit(["or"]).await;
    down.expect_events([("or", 3)]).await;
}

/// So many wait for their partners and no more, however much is wanted.
#[tokio::test(start_paused = true)]
async fn the_faster_side_waits_for_the_slower_one() {
    let ((mut slow, names), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let app = pipeline! {
        names = names;
        first = map(Half::First);
        counter = Counter::endless();
        second = map(Half::Second);
        pairs = zip();
        sink = sink;
        names => first => pairs;
        counter => second => pairs => sink;
    }
    .start()
    .unwrap();
    down.ask(10_000).await;
    down.expect_no_events().await;
    assert_eq!(app.second.snapshot().await.unwrap().events_out, 1000);
    slow.emit(0..600).await;
    let pairs = down.batches().await.concat();
    assert!(pairs.into_iter().eq((0..600).zip(0..600)));
    assert_eq!(app.second.snapshot().await.unwrap().events_out, 1600);
}

#[tokio::test]
async fn it_ends_with_the_shorter_side_and_counts_what_is_left_over() {
    for (firsts, seconds) in [(5u32, 3), (3, 5), (0, 4), (4, 0), (3000, 2500), (4, 4)] {
        let sink = Collect::new();
        let batches = sink.batches.clone();
        let summary = pipeline! {
            firsts = from_iter(0..firsts);
            seconds = from_iter(0..seconds);
            pairs = zip();
            sink = sink;
            { firsts |> map(Half::First), seconds |> map(Half::Second) } => pairs => sink;
        }
        .run()
        .await
        .unwrap();
        let pairs = batches.take().concat();
        let expected = firsts.min(seconds);
        assert!(pairs.into_iter().eq((0..expected).zip(0..expected)), "{firsts} {seconds}");
        let zip = summary.stage("pairs").unwrap();
        assert_eq!(zip.events_out, u64::from(expected), "{firsts} {seconds}");
        assert_eq!(
            zip.events_in + zip.discarded - 2 * zip.events_out,
            2 * zip.discarded,
            "{firsts} {seconds}: {zip:?}"
        );
    }
}

/// Several producers may be on one side; two of them are not in each other's way.
#[tokio::test]
async fn a_side_may_have_several_producers() {
    let sink = Collect::new();
    let batches = sink.batches.clone();
    pipeline! {
        left = from_iter(0..10);
        right = from_iter(0..10);
        letters = from_iter(std::iter::repeat_n('a', 20));
        sink = sink;
        { left |> map(Half::First), right |> map(Half::First), letters |> map(Half::Second) } => zip() => sink;
    }
    .run()
    .await
    .unwrap();
    assert_eq!(batches.take().concat().len(), 20);
}

/// Events of one key are handled one after the other, in order, while others are handled at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_key_keep_their_order() {
    let seen = Log::new();
    pipeline! {
        counter = Counter::below(10_000);
        worker = {
            let seen = seen.clone();
            Worker { seen, of: Vec::new() }
        }, replicas: 4;
        counter => partition_by(4, |n: &u64| n % 13) => worker;
    }
    .run()
    .await
    .unwrap();
    let of_workers: Vec<Vec<u64>> = seen.take();
    let mut owners = HashMap::new();
    for (worker, events) in of_workers.iter().enumerate() {
        for n in events {
            assert_eq!(*owners.entry(n % 13).or_insert(worker), worker, "one key, one worker");
        }
    }
    for key in 0..13 {
        let of_key: Vec<u64> = of_workers.concat().into_iter().filter(|n| n % 13 == key).collect();
        assert!(of_key.into_iter().eq((0..10_000).filter(|n| n % 13 == key)));
    }
}

#[stage(consumer)]
struct Worker {
    of: Vec<u64>,
    seen: Log<Vec<u64>>,
}

impl Consumer for Worker {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        self.of.extend(events.drain());
        Ok(())
    }

    async fn terminate(&mut self, _: &Reason) {
        self.seen.push(std::mem::take(&mut self.of));
    }
}

#[tokio::test]
async fn other_replicas_than_partitions_are_refused() {
    let refused = pipeline! {
        counter = Counter::below(1);
        by_key = partition_by(4, |n: &u64| n % 13);
        sink = for_each(|_| {}), replicas: 3;
        counter => by_key => sink;
    }
    .start();
    let refused = refused.map(drop).unwrap_err().to_string();
    assert!(refused.contains("by_key") && refused.contains("partition"), "{refused}");
}

/// However it ends, what has no partner is counted.
#[tokio::test(start_paused = true)]
async fn what_waits_for_a_partner_is_counted() {
    let ((mut left, firsts), (_right, seconds)) = (ProducerProbe::new(), ProducerProbe::<u64>::new());
    let app = pipeline! {
        firsts = firsts;
        seconds = seconds;
        pairs = zip();
        { firsts |> map(Half::First), seconds |> map(Half::Second) } => pairs [max_demand: 700] => for_each(|_: (u64, u64)| {});
    }
    .start()
    .unwrap();
    left.emit(0..600).await;
    left.expect_demand(700).await;
    assert_eq!(app.pairs.snapshot().await.unwrap().buffered, 600);
    let summary = app.stop(Reason::Shutdown).await.unwrap();
    assert_eq!(summary.stage("pairs").map(|pairs| (pairs.events_in, pairs.discarded)), Some((600, 600)));
}

/// What was asked for before still comes.
#[tokio::test(start_paused = true)]
async fn begun_anew_it_asks_for_no_more_than_may_wait() {
    let ((mut left, firsts), (mut right, seconds)) = (ProducerProbe::new(), ProducerProbe::new());
    let (mut down, sink) = ConsumerProbe::new();
    let app = pipeline! {
        firsts = firsts;
        seconds = seconds;
        first = Flaky, restart: on_failure;
        pairs = zip(), restart: on_failure;
        sink = sink;
        strategy: one_for_all;
        firsts => first => pairs [max_demand: 100];
        seconds |> map(Half::Second) => pairs [max_demand: 100] => sink;
    }
    .start()
    .unwrap();
    down.ask(1000).await;
    left.emit(0..50).await;
    settle().await;
    // The stage before it fails, and it is begun anew with it.
    left.emit([u64::MAX]).await;
    settle().await;
    left.emit(100..400).await;
    settle().await;
    assert_eq!(app.pairs.snapshot().await.unwrap().buffered, 100);
    right.emit(0..300).await;
    let pairs = down.batches().await.concat();
    assert!(pairs.into_iter().eq((100..400).zip(0..300)));
    let summary = app.drain().await.unwrap();
    assert_eq!(summary.stage("pairs").map(|pairs| (pairs.lost, pairs.restarts)), Some((50, 1)));
}

/// Fails at the greatest number.
#[stage(producer_consumer, max_demand = 1)]
struct Flaky;

impl ProducerConsumer for Flaky {
    type Input = u64;
    type Output = Half<u64, u64>;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        if events.contains(&u64::MAX) {
            return Err(genstage::Error::msg("no number"));
        }
        cx.emit_all(events.drain().map(Half::First));
        Ok(())
    }
}
