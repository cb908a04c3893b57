//! Subscribing, asking and cancelling at run time.

use genstage::prelude::*;
use genstage::{
    Cancel, CancelKind, Cancelled, Demand, DemandMode, Reason, StageRef, Subscribe, SubscribeError,
    Subscription, WindowError,
};

use crate::stages::{Collect, Counter, Log};

/// A consumer that notes everything, and asks only when told to if it is manual.
#[stage(consumer)]
struct Watch {
    manual: bool,
    notes: Log<String>,
}

impl Watch {
    fn new(manual: bool) -> (Self, Log<String>) {
        let notes = Log::new();
        (Self { manual, notes: notes.clone() }, notes)
    }
}

impl Consumer for Watch {
    type Event = u64;

    async fn handle_subscribe(&mut self, producer: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        self.notes.push(format!("to {}", producer.peer()));
        Ok(if self.manual { Demand::Manual } else { Demand::Automatic })
    }

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        self.notes.push(format!("{:?}", &**events));
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.notes.push(format!("{:?}: {}", cancelled.kind, cancelled.reason));
        Ok(())
    }
}

/// A producer that counts as told by demand, and notes its consumers.
#[stage(producer)]
struct Source {
    next: u64,
    notes: Log<String>,
}

impl Source {
    fn new() -> (Self, Log<String>) {
        let notes = Log::new();
        (Self { next: 0, notes: notes.clone() }, notes)
    }
}

impl Producer for Source {
    type Event = u64;

    async fn handle_subscribe(&mut self, consumer: &Subscription, _: &mut Context<Self>) -> Result {
        self.notes.push(format!("from {}", consumer.peer()));
        Ok(())
    }

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        self.notes.push(format!("demand {demand}"));
        let end = (self.next + demand as u64).min(20);
        cx.emit_all(self.next..end);
        self.next = end;
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.notes.push(format!("{:?}: {}", cancelled.kind, cancelled.reason));
        Ok(())
    }
}

/// Lets everything that is on its way arrive: whatever is sent is one hop nearer after each turn.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn custom(reason: &str) -> Reason {
    Reason::custom(reason)
}

/// Lines 52, 73 and 75 of the catalogue.
#[tokio::test]
async fn c073_c075_both_sides_learn_of_a_subscription() {
    let ((source, seen), (watch, notes)) = (Source::new(), Watch::new(false));
    let (source, watch) = (source.spawn(), watch.spawn());
    let subscription = watch.subscribe(&source, Subscribe::new().max_demand(4).min_demand(0)).await.unwrap();
    assert_eq!(subscription.peer(), "Source");
    settle().await;
    assert_eq!(notes.take()[..3], ["to Source", "[0, 1, 2, 3]", "[4, 5, 6, 7]"]);
    assert_eq!(seen.take()[..3], ["from Watch", "demand 4", "demand 4"]);
}

/// Lines 71 and 72 of the catalogue.
#[tokio::test]
async fn c071_manual_demand() {
    let ((source, _), (watch, notes)) = (Source::new(), Watch::new(true));
    let (source, watch) = (source.spawn(), watch.spawn());
    let subscription = watch.subscribe(&source, Subscribe::new().max_demand(2)).await.unwrap();
    settle().await;
    assert_eq!(notes.take(), ["to Source"]);
    watch.ask(&subscription, 5).await;
    watch.ask(&subscription, 0).await;
    settle().await;
    assert_eq!(notes.take(), ["[0, 1, 2, 3, 4]"], "not cut into batches");
}

/// Line 54 of the catalogue, and 53: demands that make no sense, and a consumer that has ended.
#[tokio::test]
async fn c053_c054_refusals() {
    let ((source, _), (watch, _)) = (Source::new(), Watch::new(false));
    let (source, watch) = (source.spawn(), watch.spawn());
    for (options, error) in [
        (Subscribe::new().max_demand(0), WindowError::ZeroMax),
        (Subscribe::new().min_demand(2000), WindowError::MinNotBelowMax { max: 1000, min: 2000 }),
    ] {
        assert_eq!(watch.subscribe(&source, options).await, Err(SubscribeError::Demand(error)));
    }
    assert!(!watch.has_ended());
    watch.stop(Reason::Normal).await;
    assert_eq!(watch.subscribe(&source, Subscribe::new()).await, Err(SubscribeError::Ended));
}

/// Lines 56 and 58 of the catalogue.
#[tokio::test]
async fn c056_c058_a_producer_that_has_ended() {
    for (cancel, ends) in [(Cancel::Permanent, true), (Cancel::Transient, true), (Cancel::Temporary, false)] {
        let ((source, _), (watch, _)) = (Source::new(), Watch::new(false));
        let (source, watch) = (source.spawn(), watch.spawn());
        source.stop(Reason::Normal).await;
        watch.subscribe(&source, Subscribe::new().cancel(cancel)).await.unwrap();
        settle().await;
        assert_eq!(watch.has_ended(), ends, "{cancel:?}");
        if ends {
            assert!(matches!(watch.ended().await, Reason::NoStage));
        }
    }
}

/// Lines 81, 83 and 85 of the catalogue.
#[tokio::test]
async fn c081_c083_c085_cancelling() {
    for (cancel, reason, end) in [
        (Cancel::Temporary, custom("oops"), None),
        (Cancel::Transient, Reason::Shutdown, None),
        (Cancel::Transient, custom("oops"), Some("oops")),
        (Cancel::Permanent, Reason::Normal, Some("normal")),
    ] {
        let ((source, seen), (watch, notes)) = (Source::new(), Watch::new(true));
        let (source, watch) = (source.spawn(), watch.spawn());
        let subscription = watch.subscribe(&source, Subscribe::new().cancel(cancel)).await.unwrap();
        watch.cancel(&subscription, reason.clone()).await;
        settle().await;
        let note = format!("Cancel: {reason}");
        assert_eq!(notes.take(), ["to Source".to_owned(), note.clone()]);
        let seen = seen.take();
        assert_eq!(seen[..2], ["from Watch".to_owned(), note]);
        assert_eq!(watch.has_ended(), end.is_some(), "{cancel:?} {reason}");
        match end {
            Some(end) => {
                assert_eq!(watch.ended().await.to_string(), end);
            }
            // A cancelled subscription is gone: asking does nothing.
            None => {
                watch.ask(&subscription, 5).await;
                watch.cancel(&subscription, Reason::Normal).await;
                settle().await;
                assert_eq!(notes.take(), Vec::<String>::new());
            }
        }
        assert!(!source.has_ended());
    }
}

/// Lines 87 to 89 of the catalogue.
#[tokio::test]
async fn c087_c088_c089_a_producer_goes_down() {
    for (cancel, ends) in [(Cancel::Permanent, true), (Cancel::Transient, true), (Cancel::Temporary, false)] {
        let ((source, _), (watch, notes)) = (Source::new(), Watch::new(true));
        let (source, watch) = (source.spawn(), watch.spawn());
        watch.subscribe(&source, Subscribe::new().cancel(cancel)).await.unwrap();
        source.stop(custom("killed")).await;
        settle().await;
        assert_eq!(notes.take(), ["to Source", "Down: killed"]);
        assert_eq!(watch.has_ended(), ends);
    }
}

/// Line 66 of the catalogue, and defect D10: re-subscribing does not end a permanent consumer.
#[tokio::test]
async fn c066_d10_resubscribing_carries_demand_over() {
    for cancel in [Cancel::Temporary, Cancel::Permanent] {
        let ((source, seen), (watch, notes)) = (Told::new(), Watch::new(false));
        let (source, watch) = (source.spawn(), watch.spawn());
        let options = || Subscribe::new().cancel(cancel).min_demand(0);
        let old = watch.subscribe(&source, options().max_demand(4)).await.unwrap();
        settle().await;
        let new = watch.resubscribe(&old, custom("more"), &source, options().max_demand(6)).await.unwrap();
        settle().await;
        assert_ne!(old, new);
        assert_eq!(seen.take(), [4, 2]);
        assert_eq!(notes.take(), ["to Told", "to Told", "Cancel: more"]);
        assert!(!watch.has_ended());
    }
}

/// Notes its demands and meets none.
#[stage(producer)]
struct Told {
    demands: Log<usize>,
}

impl Told {
    fn new() -> (Self, Log<usize>) {
        let demands = Log::new();
        (Self { demands: demands.clone() }, demands)
    }
}

impl Producer for Told {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, _: &mut Context<Self>) -> Result {
        self.demands.push(demand);
        Ok(())
    }
}

/// Lines 17, 19, 20 and 21 of the catalogue.
#[tokio::test]
async fn c017_c019_c020_c021_accumulating_demand() {
    let (source, sink) = (Counter::endless(), Collect::<u64>::new());
    let (demands, batches) = (source.demands.clone(), sink.batches.clone());
    let (source, sink): (StageRef<Counter>, _) = (source.spawn(), sink.spawn());
    assert_eq!(source.demand().await, Some(DemandMode::Forward));
    source.set_demand(DemandMode::Accumulate).await;
    sink.subscribe(&source, Subscribe::new().max_demand(4).min_demand(0)).await.unwrap();
    source.set_demand(DemandMode::Accumulate).await;
    settle().await;
    assert_eq!(
        (source.demand().await, demands.take(), batches.take().len()),
        (Some(DemandMode::Accumulate), vec![], 0)
    );
    source.set_demand(DemandMode::Forward).await;
    while batches.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(batches.take()[0], [0, 1, 2, 3]);
}

/// Whatever its kind, a cancellation tells which subscription it was.
#[tokio::test]
async fn a_cancellation_names_its_subscription() {
    #[stage(consumer)]
    struct Two {
        first: Option<Subscription>,
        right: Log<bool>,
    }

    impl Consumer for Two {
        type Event = u64;

        async fn handle_subscribe(
            &mut self,
            producer: &Subscription,
            _: &mut Context<Self>,
        ) -> Result<Demand> {
            self.first.get_or_insert(producer.clone());
            Ok(Demand::Manual)
        }

        async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            Ok(())
        }

        async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
            assert_eq!(cancelled.kind, CancelKind::Down);
            self.right.push(self.first.as_ref().is_some_and(|first| cancelled.is(first)));
            Ok(())
        }
    }

    let right = Log::new();
    let two = Two { first: None, right: right.clone() }.spawn();
    let [one, other] = [0, 1].map(|_| Source::new().0.spawn());
    for source in [&one, &other] {
        two.subscribe(source, Subscribe::new().cancel(Cancel::Temporary)).await.unwrap();
    }
    other.stop(Reason::Normal).await;
    one.stop(Reason::Normal).await;
    settle().await;
    assert_eq!(right.take(), [false, true]);
}
