//! GenStage's defects that are not copied, D1 to D13; others are tested where their subject is.
//!
//! | defect | test |
//! |---|---|
//! | D1 | `machine::tests::d1_…` in the crate, `machine::invariants::demand_dispatcher` |
//! | D3, D4 | `dispatchers::d3_…`, `dispatchers::d4_…` |
//! | D7 | `children::d7_…` |
//! | D8 | `tests/ui/stage/fail/buffer_size_zero.rs`, and here |
//! | D10 | `subscriptions::c066_d10_…` |
//! | D12 | here, and `machine::invariants` |
//! | D13 | `streams::c153_d13_…`, `streams::d13_of_a_partition` |

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, settle};
use genstage::{Cancel, Cancelled, DemandMode, Reason, Subscribe};

use crate::stages::Log;

/// Emits what it is told to.
macro_rules! told {
    ($name:ident, $($option:tt)*) => {
        #[stage(producer, $($option)*)]
        struct $name {
            size: usize,
            notes: Log<String>,
        }

        impl Producer for $name {
            type Event = u64;

            async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
                Ok(())
            }
        }

        impl Cast<std::ops::Range<u64>> for $name {
            async fn handle_cast(&mut self, events: std::ops::Range<u64>, cx: &mut Context<Self>) -> Result {
                cx.emit_all(events);
                Ok(())
            }
        }

        impl Info<&'static str> for $name {
            async fn handle_info(&mut self, info: &'static str, _: &mut Context<Self>) -> Result {
                self.notes.push(info.to_owned());
                Ok(())
            }
        }
    };
}

told!(Told, buffer_size = self.size);
told!(ToldAll, buffer_size = self.size, dispatcher = broadcast);
told!(
    ToldParts,
    buffer_size = self.size,
    dispatcher = partition(2, index = |n: &u64| Some((n % 2) as usize))
);

fn temporary() -> Subscribe {
    Subscribe::new().cancel(Cancel::Temporary)
}

/// A broadcast neither stalls nor reorders when its consumer restarts.
#[tokio::test(start_paused = true)]
async fn d2_a_consumer_of_a_broadcast_comes_back() {
    let told = ToldAll { size: 100, notes: Log::new() }.spawn();
    let (mut first, stage) = ConsumerProbe::new();
    let stage = stage.spawn();
    stage.subscribe(&told, temporary()).await.unwrap();
    first.ask(10).await;
    first.stop(Reason::custom("killed")).await;
    settle().await;
    told.cast(1..4).await.unwrap();
    let (mut second, stage) = ConsumerProbe::new();
    let stage = stage.spawn();
    stage.subscribe(&told, temporary()).await.unwrap();
    second.ask(10).await;
    second.expect_events(1..4).await;
    told.cast(4..14).await.unwrap();
    second.expect_events(4..11).await;
    second.ask(5).await;
    second.expect_events(11..14).await;
}

/// Line 137 of the catalogue: a stage cannot subscribe to a broadcast twice.
#[tokio::test(start_paused = true)]
async fn c137_a_second_subscription_to_a_broadcast_is_refused() {
    let told = ToldAll { size: 100, notes: Log::new() }.spawn();
    let (mut probe, stage) = ConsumerProbe::<u64>::new();
    let stage = stage.spawn();
    stage.subscribe(&told, temporary()).await.unwrap();
    stage.subscribe(&told, temporary()).await.unwrap();
    let cancelled = probe.expect_cancel().await;
    assert!(cancelled.reason.to_string().contains("subscribed already"), "{}", cancelled.reason);
    assert!(!stage.has_ended());
}

/// What is queued for a partition whose consumer goes is kept for the next one.
#[tokio::test(start_paused = true)]
async fn d5_a_partitions_queue_outlives_its_consumer() {
    let told = ToldParts { size: 100, notes: Log::new() }.spawn();
    let (mut probes, mut stages) = (vec![], vec![]);
    for partition in [0, 1, 0] {
        let (mut probe, stage) = ConsumerProbe::new();
        let stage = stage.spawn();
        let subscription = stage.subscribe(&told, temporary().partition(partition)).await;
        assert!(subscription.is_ok());
        settle().await;
        if probes.is_empty() {
            probe.ask(10).await;
        }
        if partition == 1 {
            told.cast(0..10).await.unwrap();
            probe.expect_no_events().await;
            let first: &mut ConsumerProbe<u64> = &mut probes[0];
            first.expect_events([0, 2, 4, 6, 8]).await;
            told.cast(10..20).await.unwrap();
            settle().await;
            first.stop(Reason::Normal).await;
        }
        stages.push(stage);
        probes.push(probe);
    }
    probes[1].ask(10).await;
    probes[1].expect_events((1..20).step_by(2)).await;
    probes[2].ask(10).await;
    let left: Vec<u64> = probes[2].batches().await.concat();
    let first: Vec<u64> = probes[0].batches().await.concat();
    assert!([first, left].concat().into_iter().eq((10..20).step_by(2)));
}

/// What is emitted while demand is accumulated keeps its order with infos, is counted, and is bounded.
#[tokio::test(start_paused = true)]
async fn d6_accumulating_keeps_order_and_bounds() {
    let told = Told { size: 5, notes: Log::new() };
    let notes = told.notes.clone();
    let told = told.spawn();
    told.set_demand(DemandMode::Accumulate).await;
    told.cast(0..3).await.unwrap();
    told.info("behind three").await.unwrap();
    settle().await;
    let snapshot = told.snapshot().await.unwrap();
    assert_eq!((snapshot.accumulated, snapshot.buffered), (3, 0));
    assert!(notes.is_empty());
    told.cast(3..20_000).await.unwrap();
    assert_eq!(told.snapshot().await.unwrap().accumulated, 10_000);
    let (mut probe, stage) = ConsumerProbe::new();
    let stage = stage.spawn();
    stage.subscribe(&told, temporary()).await.unwrap();
    probe.ask(3).await;
    probe.expect_no_events().await;
    told.set_demand(DemandMode::Forward).await;
    probe.expect_events(0..3).await;
    assert_eq!(notes.take(), ["behind three"]);
}

/// A buffer size of 0 that only the stage itself knows.
#[tokio::test]
async fn d8_a_buffer_of_nothing_is_refused() {
    let told = Told { size: 0, notes: Log::new() }.spawn();
    assert_eq!(told.ended().await.to_string(), "expected buffer_size >= 1, got 0");
}

/// Infos are not counted, whatever the buffer's size.
#[tokio::test(start_paused = true)]
async fn d9_infos_do_not_count_as_buffered() {
    for size in [5, usize::MAX] {
        let told = Told { size, notes: Log::new() }.spawn();
        told.cast(0..2).await.unwrap();
        told.info("one").await.unwrap();
        told.info("another").await.unwrap();
        assert_eq!(told.snapshot().await.unwrap().buffered, 2, "{size}");
    }
}

/// A cancel callback cannot keep a permanent consumer alive, nor end its producer: it returns a `Result` and nothing else.
#[tokio::test(start_paused = true)]
async fn d11_a_cancel_callback_changes_nothing_about_the_end() {
    #[stage(consumer)]
    struct Keeps(Log<String>);

    impl Consumer for Keeps {
        type Event = u64;

        async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            Ok(())
        }

        async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
            self.0.push(cancelled.reason.to_string());
            Ok(())
        }
    }

    let notes = Log::new();
    let told = Told { size: 1, notes: Log::new() }.spawn();
    let keeps = Keeps(notes.clone()).spawn();
    let subscription = keeps.subscribe(&told, Subscribe::new()).await.unwrap();
    keeps.cancel(&subscription, Reason::custom("oops")).await;
    settle().await;
    assert_eq!((notes.take(), keeps.ended().await.to_string()), (vec!["oops".to_owned()], "oops".to_owned()));
    assert!(!told.has_ended());
}

/// A selector that refuses a whole batch has its consumer called with nothing, not with an empty batch.
#[tokio::test(start_paused = true)]
async fn d12_a_refused_batch_is_not_sent() {
    let (mut probe, sink) = ConsumerProbe::new();
    let (told, sink) = (ToldAll { size: 10, notes: Log::new() }.spawn(), sink.spawn());
    let options = Subscribe::new().cancel(Cancel::Temporary).selector(|n: &u64| *n >= 10);
    sink.subscribe(&told, options).await.unwrap();
    probe.ask(10).await;
    told.cast(0..10).await.unwrap();
    assert!(probe.batches().await.is_empty());
    // The demand that the refused events had met has been given back.
    told.cast(10..20).await.unwrap();
    assert_eq!(probe.batches().await, [(10..20).collect::<Vec<_>>()]);
}
