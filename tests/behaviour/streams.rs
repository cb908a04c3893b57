//! Streams out of stages.

use futures_util::StreamExt;
use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Cancel, Reason, Subscribe, WindowError};

use crate::stages::Counter;

async fn take(stream: &mut genstage::EventStream<u64>, n: usize) -> Vec<u64> {
    stream.take(n).map(Result::unwrap).collect().await
}

/// Line 152 of the catalogue.
#[tokio::test]
async fn c152_the_events_of_a_stage() {
    let counter = Counter::endless().spawn();
    let mut stream = counter.into_stream(Subscribe::new()).unwrap();
    assert_eq!(take(&mut stream, 10).await, (0..10).collect::<Vec<_>>());
}

/// Line 153 of the catalogue, and defect D13: what a stream leaves is not lost.
#[tokio::test(start_paused = true)]
async fn c153_d13_a_stream_that_ends_early_loses_nothing() {
    let counter = Counter::endless();
    let demands = counter.demands.clone();
    let counter = counter.spawn();
    let options = || Subscribe::new().max_demand(100);
    let mut stream = counter.into_stream(options()).unwrap();
    assert_eq!(take(&mut stream, 300).await, (0..300).collect::<Vec<_>>());
    settle().await;
    assert_eq!(demands.take(), [100, 50, 50, 50, 50, 50, 50]);
    drop(stream);
    settle().await;
    assert_eq!(counter.snapshot().await.unwrap().buffered, 100);
    let mut stream = counter.into_stream(options()).unwrap();
    assert_eq!(take(&mut stream, 300).await, (300..600).collect::<Vec<_>>());
}

/// The same for a partition: its next consumer gets what was left, in order.
#[tokio::test(start_paused = true)]
async fn d13_of_a_partition() {
    #[stage(producer, dispatcher = partition(2, index = |n: &u64| Some((n % 2) as usize)))]
    struct Parity(u64);

    impl Producer for Parity {
        type Event = u64;

        async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
            let end = self.0 + demand as u64;
            cx.emit_all(self.0..end);
            self.0 = end;
            Ok(())
        }
    }

    let parity = Parity(0).spawn();
    let options = |partition| Subscribe::new().max_demand(10).min_demand(5).partition(partition);
    let mut odd = parity.into_stream(options(1)).unwrap();
    let mut even = parity.into_stream(options(0)).unwrap();
    assert_eq!(take(&mut even, 7).await, [0, 2, 4, 6, 8, 10, 12]);
    settle().await;
    drop(even);
    settle().await;
    assert_eq!(take(&mut odd, 20).await, (0..20).map(|n| 2 * n + 1).collect::<Vec<_>>());
    let mut even = parity.into_stream(options(0)).unwrap();
    assert_eq!(take(&mut even, 7).await, [14, 16, 18, 20, 22, 24, 26]);
}

/// Lines 156 and 160 of the catalogue.
#[tokio::test]
async fn c156_c160_a_stage_that_has_ended() {
    for (cancel, fails) in [(Cancel::Permanent, true), (Cancel::Transient, true), (Cancel::Temporary, false)]
    {
        let counter = Counter::endless().spawn();
        counter.stop(Reason::Normal).await;
        let mut stream = counter.into_stream(Subscribe::new().cancel(cancel)).unwrap();
        assert_eq!(matches!(stream.next().await, Some(Err(Reason::NoStage))), fails, "{cancel:?}");
        assert!(stream.next().await.is_none());
    }
}

/// Lines 163 and 164 of the catalogue.
#[tokio::test]
async fn c163_c164_from_an_iterator() {
    let numbers = from_iter(0..10u64).spawn();
    let stream = numbers.into_stream(Subscribe::new().cancel(Cancel::Transient)).unwrap();
    let all: Vec<_> = stream.map(Result::unwrap).collect().await;
    assert_eq!(all, (0..10).collect::<Vec<_>>());
    assert!(numbers.ended().await.is_normal());

    let endless = from_iter(0..u64::MAX).spawn();
    let mut stream = endless.into_stream(Subscribe::new().cancel(Cancel::Transient)).unwrap();
    assert_eq!(take(&mut stream, 10).await, (0..10).collect::<Vec<_>>());
    assert!(!endless.has_ended());
}

/// Line 165 of the catalogue.
#[tokio::test]
async fn c165_demands_that_make_no_sense() {
    let counter = Counter::endless().spawn();
    assert_eq!(counter.into_stream(Subscribe::new().max_demand(0)).unwrap_err(), WindowError::ZeroMax);
}

/// An abnormal end is an item; of a temporary subscription it is not.
#[tokio::test]
async fn the_end_of_one_of_two_producers() {
    for (cancel, expected) in [(Cancel::Transient, Some("oops")), (Cancel::Temporary, None)] {
        let (fails, ends) = (Counter::endless().spawn(), from_iter(0..3u64).spawn());
        let options = || Subscribe::new().max_demand(1).cancel(cancel);
        let stream = fails.into_stream(options()).unwrap().and(&ends, options()).unwrap();
        fails.stop(Reason::custom("oops")).await;
        let items: Vec<_> = stream.collect().await;
        let failure = items.iter().find_map(|item| item.as_ref().err().map(ToString::to_string));
        assert_eq!(failure.as_deref(), expected);
    }
}
