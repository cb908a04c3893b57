//! The rules of Reactive Streams (version 1.0.4) that map onto demand. The numbers in the names are theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe, settle};
use genstage::{Cancel, Reason, StageRef, Subscribe};

use crate::stages::{Log, Pass};

fn temporary() -> Subscribe {
    Subscribe::new().cancel(Cancel::Temporary)
}

/// A producer and a consumer that are told everything, subscribed.
async fn pair()
-> (ProducerProbe<u64>, ConsumerProbe<u64>, Vec<StageRef<genstage::testing::ProbedConsumer<u64>>>) {
    let ((up, source), (down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let (source, sink) = (source.spawn(), sink.spawn());
    sink.subscribe(&source, temporary()).await.unwrap();
    (up, down, vec![sink])
}

/// 1.1: never more events than were asked for.
#[tokio::test(start_paused = true)]
async fn r1_1_never_more_than_asked_for() {
    let (mut up, mut down, _keep) = pair().await;
    down.ask(3).await;
    up.emit(0..10).await;
    down.expect_events(0..3).await;
    down.ask(2).await;
    down.expect_events(3..5).await;
}

/// 1.3: callbacks of one stage come one at a time, whoever sends what.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_3_one_callback_at_a_time() {
    #[stage(consumer, max_demand = 4)]
    struct Alone {
        inside: Arc<AtomicBool>,
        handled: Log<usize>,
    }

    impl Alone {
        async fn alone(&mut self, events: usize) {
            assert!(!self.inside.swap(true, Ordering::SeqCst), "two callbacks at a time");
            tokio::task::yield_now().await;
            self.inside.store(false, Ordering::SeqCst);
            self.handled.push(events);
        }
    }

    impl Consumer for Alone {
        type Event = u64;

        async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            self.alone(events.len()).await;
            Ok(())
        }
    }

    impl Cast<()> for Alone {
        async fn handle_cast(&mut self, (): (), _: &mut Context<Self>) -> Result {
            self.alone(0).await;
            Ok(())
        }
    }

    let handled = Log::new();
    let alone = Alone { inside: Arc::default(), handled: handled.clone() };
    let app = pipeline! {
        alone = alone;
        { from_iter(0..500), from_iter(500..1000), from_iter(1000..1500) } => alone;
    }
    .start()
    .unwrap();
    for _ in 0..100 {
        if app.alone.cast(()).await.is_err() {
            break;
        }
    }
    app.join().await.unwrap();
    assert_eq!(handled.take().iter().sum::<usize>(), 1500);
}

/// 1.4, 1.5, 1.7: the end is said once, and nothing comes after it.
#[tokio::test(start_paused = true)]
async fn r1_7_nothing_after_the_end() {
    for reason in [Reason::Normal, Reason::custom("oops")] {
        let (mut up, mut down, keep) = pair().await;
        down.ask(10).await;
        up.emit([1]).await;
        up.stop(reason.clone()).await;
        down.expect_events([1]).await;
        assert_eq!(down.expect_cancel().await.reason.to_string(), reason.to_string());
        up.emit([2]).await;
        down.expect_no_events().await;
        assert!(!keep[0].has_ended());
    }
}

/// 2.8, 3.12: what is on its way when a subscription is cancelled may come; after the cancellation nothing does.
#[tokio::test(start_paused = true)]
async fn r3_12_a_cancelled_consumer_gets_nothing() {
    let (mut up, mut down, _keep) = pair().await;
    down.ask(10).await;
    down.cancel(Reason::Normal).await;
    down.expect_cancel().await;
    up.expect_cancel().await;
    up.emit([1, 2]).await;
    down.expect_no_events().await;
}

/// 3.6, 3.7: asking and cancelling after a cancellation do nothing.
#[tokio::test(start_paused = true)]
async fn r3_6_r3_7_asking_and_cancelling_after_the_end_do_nothing() {
    let (mut up, mut down, _keep) = pair().await;
    down.cancel(Reason::Normal).await;
    down.expect_cancel().await;
    down.ask(5).await;
    down.cancel(Reason::custom("again")).await;
    up.expect_cancel().await;
    up.expect_demand(0).await;
    up.emit([1]).await;
    down.expect_no_events().await;
}

/// 3.9: asking for nothing is no ask. (There it is an error; here it does nothing, as in GenStage.)
#[tokio::test(start_paused = true)]
async fn r3_9_asking_for_nothing() {
    let (mut up, mut down, _keep) = pair().await;
    down.ask(0).await;
    assert!(up.demands().await.is_empty());
}

/// 3.13: a producer lets go of a cancelled consumer: nobody can reach that any more, so it ends.
#[tokio::test(start_paused = true)]
async fn r3_13_a_cancelled_consumer_is_dropped() {
    let (mut up, source) = ProducerProbe::<u64>::new();
    let (source, pass) = (source.spawn(), Pass::new());
    let ended = pass.ended.clone();
    let pass = pass.spawn();
    let subscription = pass.subscribe(&source, temporary()).await.unwrap();
    pass.cancel(&subscription, Reason::Normal).await;
    up.expect_cancel().await;
    assert!(ended.is_empty());
    drop(pass);
    settle().await;
    assert_eq!(ended.take(), ["normal"]);
}

/// 3.17: demand adds up to any amount; `usize::MAX` is without bound.
#[tokio::test(start_paused = true)]
async fn r3_17_demand_saturates() {
    let (mut up, mut down, _keep) = pair().await;
    down.ask(usize::MAX).await;
    down.ask(usize::MAX).await;
    down.ask(5).await;
    assert_eq!(up.demands().await, [usize::MAX]);
    up.emit(0..1000).await;
    down.expect_events(0..1000).await;
}
