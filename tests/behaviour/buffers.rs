//! Lines 5, 14 and from 24 on of the catalogue: buffers, and what overflows.

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe, settle};
use genstage::{Cancel, Reason, Subscribe};

use crate::stages::{Collect, Counter, Log, Warnings};

/// Emits what it is told to, and says what it discarded.
#[stage(producer, buffer_size = self.size, buffer_keep = first)]
struct Told {
    size: usize,
    report: bool,
    discarded: Log<usize>,
}

impl Producer for Told {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }

    fn on_discarded(&mut self, events: usize) -> bool {
        self.discarded.push(events);
        self.report
    }
}

impl Cast<std::ops::Range<u64>> for Told {
    async fn handle_cast(&mut self, events: std::ops::Range<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events);
        Ok(())
    }
}

/// Lines 24 and 27 to 29: the rest is discarded; the callback decides whether there is a warning.
#[tokio::test(start_paused = true)]
async fn c024_c027_c028_c029_what_overflows_is_reported() {
    for report in [true, false] {
        let warnings = Warnings(Log::new());
        let _guard = tracing::subscriber::set_default(warnings.clone());
        let discarded = Log::new();
        let told = Told { size: 5, report, discarded: discarded.clone() }.spawn();
        told.cast(0..5).await.unwrap();
        told.cast(5..8).await.unwrap();
        settle().await;
        assert_eq!((discarded.take(), warnings.0.take().len()), (vec![3], usize::from(report)));
        let sink = Collect::<u64>::new();
        let batches = sink.batches.clone();
        let sink = sink.spawn();
        sink.subscribe(&told, Subscribe::new().max_demand(4).min_demand(0)).await.unwrap();
        settle().await;
        assert_eq!(batches.take(), [vec![0, 1, 2, 3], vec![4]]);
    }
}

/// Lines 26 and 30.
#[tokio::test(start_paused = true)]
async fn c026_c030_an_unbounded_buffer() {
    let discarded = Log::new();
    let told = Told { size: usize::MAX, report: true, discarded: discarded.clone() }.spawn();
    told.cast(0..5).await.unwrap();
    assert_eq!(told.snapshot().await.unwrap().buffered, 5);
    told.cast(5..8).await.unwrap();
    assert_eq!(told.snapshot().await.unwrap().buffered, 8);
    let sink = Collect::<u64>::new();
    let batches = sink.batches.clone();
    let sink = sink.spawn();
    sink.subscribe(&told, Subscribe::new().max_demand(4).min_demand(0)).await.unwrap();
    settle().await;
    assert_eq!(batches.take(), [[0, 1, 2, 3], [4, 5, 6, 7]]);
    assert_eq!((told.snapshot().await.unwrap().buffered, discarded.take().len()), (0, 0));
}

/// Line 14, and line 5 with the producer-consumer left out: the smaller demand sets the batch.
#[tokio::test(start_paused = true)]
async fn c005_c014_a_broadcast_in_batches_of_the_smaller_demand() {
    #[stage(producer_consumer, dispatcher = broadcast)]
    struct Doubler;

    impl ProducerConsumer for Doubler {
        type Input = u64;
        type Output = u64;

        async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
            cx.emit_all(events.drain().flat_map(|n| [n, n]));
            Ok(())
        }
    }

    let ([a, b], doubler) = ([Collect::<u64>::new(), Collect::new()], Doubler.spawn());
    let logs = [a.batches.clone(), b.batches.clone()];
    let (a, b) = (a.spawn(), b.spawn());
    a.subscribe(&doubler, Subscribe::new().max_demand(10).min_demand(0)).await.unwrap();
    b.subscribe(&doubler, Subscribe::new().max_demand(20).min_demand(0)).await.unwrap();
    settle().await;
    let counter = Counter::below(200).spawn();
    doubler.subscribe(&counter, Subscribe::new().max_demand(10).cancel(Cancel::Temporary)).await.unwrap();
    settle().await;
    let expected: Vec<Vec<u64>> =
        (0..40).map(|n| (5 * n..5 * n + 5).flat_map(|n| [n, n]).collect()).collect();
    for log in logs {
        assert_eq!(log.take(), expected);
    }
}

/// Lines 93, 96 and 97: a producer-consumer ends as its subscription's mode says.
#[tokio::test(start_paused = true)]
async fn c093_c096_c097_a_producer_consumer_loses_its_producer() {
    for (cancel, ends) in [(Cancel::Permanent, true), (Cancel::Transient, true), (Cancel::Temporary, false)] {
        let told = Told { size: 5, report: true, discarded: Log::new() };
        let (told, pass) = (told.spawn(), crate::stages::Pass::new().spawn());
        let (mut probe, stage) = ConsumerProbe::<u64>::new();
        let stage = stage.spawn();
        pass.subscribe(&told, Subscribe::new().cancel(cancel)).await.unwrap();
        stage.subscribe(&pass, Subscribe::new().cancel(Cancel::Temporary)).await.unwrap();
        probe.ask(2).await;
        told.cast(0..4).await.unwrap();
        settle().await;
        told.stop(Reason::custom("killed")).await;
        probe.expect_events([0, 1, 2, 3].into_iter().take(2)).await;
        assert_eq!(pass.has_ended(), ends, "{cancel:?}");
        if ends {
            assert_eq!(probe.expect_cancel().await.reason.to_string(), "killed");
        }
    }
}

/// Line 41: a consumer has no buffer, so infos come at once. Line 42: so they do where nothing is queued.
#[tokio::test(start_paused = true)]
async fn c041_c042_infos_at_once() {
    #[stage(consumer)]
    struct Hears(Log<u64>);

    impl Consumer for Hears {
        type Event = u64;

        async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            Ok(())
        }
    }

    impl Info<u64> for Hears {
        async fn handle_info(&mut self, info: u64, _: &mut Context<Self>) -> Result {
            self.0.push(info);
            Ok(())
        }
    }

    let heard = Log::new();
    let hears = Hears(heard.clone()).spawn();
    hears.info(1).await.unwrap();
    hears.info(2).await.unwrap();
    settle().await;
    assert_eq!(heard.take(), [1, 2]);

    #[stage(producer_consumer)]
    struct Doubles(Log<u64>);

    impl ProducerConsumer for Doubles {
        type Input = u64;
        type Output = u64;

        async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
            cx.emit_all(events.drain().flat_map(|n| [n, n]));
            Ok(())
        }
    }

    impl Info<u64> for Doubles {
        async fn handle_info(&mut self, info: u64, _: &mut Context<Self>) -> Result {
            self.0.push(info);
            Ok(())
        }
    }

    let doubles = Doubles(heard.clone());
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let app = pipeline! { source = source; doubles = doubles; sink = sink; source => doubles => sink; }
        .start()
        .unwrap();
    down.ask(10).await;
    up.emit([1, 2]).await;
    down.expect_events([1, 1, 2, 2]).await;
    app.doubles.info(3).await.unwrap();
    settle().await;
    assert_eq!(heard.take(), [3]);
}
