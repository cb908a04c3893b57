//! The ready-made stages.

use std::pin::Pin;
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, Stream, StreamExt, stream};
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, settle};
use genstage::{NameTaken, OnCancel, Registry, Subscribe, from_sink};

use crate::stages::{Collect, Log};

#[tokio::test]
async fn from_iter_map_filter_flat_map_for_each() {
    let seen = Log::new();
    let log = seen.clone();
    pipeline! {
        from_iter(1..=4) => map(|n| n * 10) => filter(|n| n % 20 == 0) => flat_map(|n| [n, n + 1])
            => for_each(move |n| log.push(n));
    }
    .run()
    .await
    .unwrap();
    assert_eq!(seen.take(), [20, 21, 40, 41]);
}

/// A filter that lets almost nothing through does not stall.
#[tokio::test]
async fn a_filter_asks_on() {
    let batches = Log::new();
    let sink = Collect { batches: batches.clone() };
    pipeline! {
        sink = sink;
        from_iter(0..100_000u64) => filter(|n| n % 10_000 == 0) => sink [max_demand: 1];
    }
    .run()
    .await
    .unwrap();
    assert_eq!(batches.take().concat(), (0..10).map(|n| n * 10_000).collect::<Vec<_>>());
}

/// Items leave when they are ready, not when a batch is full.
#[tokio::test(start_paused = true)]
async fn from_stream_emits_what_is_ready() {
    let ticks = stream::unfold(0, |n| async move {
        tokio::time::sleep(Duration::from_secs(u64::from(n % 3 == 0))).await;
        (n < 9).then_some((n, n + 1))
    });
    let batches = Log::new();
    let sink = Collect { batches: batches.clone() };
    pipeline! { sink = sink; from_stream(ticks) => sink; }.run().await.unwrap();
    assert_eq!(batches.take(), [[0, 1, 2], [3, 4, 5], [6, 7, 8]]);
}

/// The stage stays reachable while its stream is pending: it ends with its consumer.
#[tokio::test]
async fn from_stream_does_not_hold_up_the_stage() {
    let items = stream::iter(0..3u64).chain(stream::pending());
    let taken = Log::new();
    let sink = crate::stages::First { enough: 3, taken: taken.clone() };
    pipeline! { sink = sink; from_stream(items) => sink; }.run().await.unwrap();
    assert_eq!(taken.take(), [0, 1, 2]);
}

/// A stream is polled only as far as there is demand.
#[tokio::test]
async fn from_stream_polls_on_demand_only() {
    struct Counted {
        polled: Log<u64>,
        next: u64,
    }

    impl Stream for Counted {
        type Item = u64;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Poller<'_>) -> Poll<Option<u64>> {
            let next = self.next;
            self.next += 1;
            self.polled.push(next);
            Poll::Ready(Some(next))
        }
    }

    #[stage(consumer)]
    struct Waits;

    impl Consumer for Waits {
        type Event = u64;

        async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            std::future::pending().await
        }
    }

    let polled = Log::new();
    let items = Counted { polled: polled.clone(), next: 0 };
    let app = pipeline! { sink = Waits; from_stream(items) => sink [max_demand: 8, min_demand: 7]; }
        .start()
        .unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(polled.take().len(), 8);
    drop(app);
}

/// The sink is not ready while nobody wants its items and `capacity` of them are on their way.
#[tokio::test(start_paused = true)]
async fn from_sink_waits_for_demand() {
    let (mut sink, words) = from_sink::<u64>(3);
    let (mut probe, stage) = ConsumerProbe::new();
    let _app = pipeline! { words = words; probe = stage; words => probe; }.start().unwrap();
    let sent = (0..10).take_while(|n| sink.feed(*n).now_or_never().is_some()).count();
    assert_eq!(sent, 3);
    probe.ask(2).await;
    probe.expect_events([0, 1]).await;
    assert!(sink.send(3).now_or_never().is_some());
    probe.ask(10).await;
    probe.expect_events([2, 3]).await;
    sink.close().await.unwrap();
    assert!(probe.expect_cancel().await.reason.is_normal());
    assert!(sink.send(4).await.is_err());
}

/// Names are free again when their stage has ended, and do not keep it.
#[tokio::test(start_paused = true)]
async fn a_registry_holds_nobody() {
    let registry = Registry::new();
    let sink = Collect::<u64>::new().spawn();
    registry.register("sink", &sink).unwrap();
    assert_eq!(registry.register("sink", &sink), Err(NameTaken("sink".into())));
    assert!(registry.find::<Collect<String>>("sink").is_none());
    let found = registry.find::<Collect<u64>>("sink").unwrap();
    drop(sink);
    settle().await;
    assert!(!found.has_ended());
    drop(found);
    settle().await;
    assert!(registry.find::<Collect<u64>>("sink").is_none());
    let other = Collect::<u64>::new().spawn();
    registry.register("sink", &other).unwrap();
    assert!(registry.remove("sink") && !registry.remove("sink"));
}

/// GenStage's `on_cancel`: a source whose last consumer has gone waits for the next, or ends.
#[tokio::test(start_paused = true)]
async fn sources_without_consumers_continue_or_stop() {
    macro_rules! ends_without_consumers {
        ($source:expr) => {{
            let source = $source.spawn();
            let [one, two] = std::array::from_fn(|_| source.into_stream(Subscribe::new()).unwrap());
            drop(one);
            settle().await;
            assert!(!source.has_ended());
            drop(two);
            settle().await;
            source.has_ended()
        }};
    }
    assert!(!ends_without_consumers!(from_iter(0..)));
    assert!(ends_without_consumers!(from_iter(0..).on_cancel(OnCancel::Stop)));
    assert!(!ends_without_consumers!(from_stream(stream::pending::<u64>())));
    assert!(ends_without_consumers!(from_stream(stream::repeat(0)).on_cancel(OnCancel::Stop)));
}
