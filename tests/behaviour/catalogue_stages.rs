//! Lines 55 to 70, 77 to 79, 91, 104 to 106, 112 to 117 and 155 to 167 of the catalogue: stages at run time. The numbers are
//! those of the catalogue's lines. (74, 76, 78, 80, 117: `tests/ui/stage/fail`.)

use futures_util::StreamExt;
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe, settle};
use genstage::{
    Cancel, CancelKind, Demand, Kind, NameTaken, Reason, Registry, Subscribe, SubscribeError, Subscription,
    WindowError,
};

use crate::stages::{Collect, Counter, Log, Pass};

fn temporary() -> Subscribe {
    Subscribe::new().cancel(Cancel::Temporary)
}

/// Lines 55, 57, 60, 61 and 167: names are looked up, and a handle that is found may be of a stage that has ended since.
#[tokio::test(start_paused = true)]
async fn c055_c057_c060_c061_c167_by_name() {
    let registry = Registry::new();
    let (numbers, sink) = (from_iter(0..10u64).spawn(), Collect::<u64>::new());
    registry.register("numbers", &numbers).unwrap();
    let batches = sink.batches.clone();
    let (found, sink) =
        (registry.find::<genstage::FromIter<std::ops::Range<u64>>>("numbers").unwrap(), sink.spawn());
    sink.subscribe(&found, temporary()).await.unwrap();
    settle().await;
    assert_eq!(batches.take().concat(), (0..10).collect::<Vec<_>>());
    for (cancel, ends) in [(Cancel::Temporary, false), (Cancel::Permanent, true)] {
        sink.subscribe(&found, Subscribe::new().cancel(cancel)).await.unwrap();
        settle().await;
        assert_eq!(sink.has_ended(), ends);
    }
}

/// Lines 67, 69 and 70: an old subscription that was never there, or has ended, is nothing to mind.
#[tokio::test(start_paused = true)]
async fn c067_c069_c070_resubscribing_without_an_old_subscription() {
    let ((mut up, source), sink) = (ProducerProbe::<u64>::new(), Collect::<u64>::new().spawn());
    let source = source.spawn();
    let old = sink.subscribe(&source, temporary()).await.unwrap();
    sink.cancel(&old, Reason::Normal).await;
    up.expect_cancel().await;
    let new = sink.resubscribe(&old, Reason::Normal, &source, temporary().max_demand(7)).await.unwrap();
    assert_ne!(old, new);
    assert_eq!(up.demands().await, [1000], "the demand of the first is carried over");
    up.emit(0..1000).await;
    assert!(!sink.has_ended());
}

/// Line 68: demands that make no sense change nothing.
#[tokio::test(start_paused = true)]
async fn c068_resubscribing_with_demands_that_make_no_sense() {
    let ((mut up, source), sink) = (ProducerProbe::<u64>::new(), Collect::<u64>::new().spawn());
    let source = source.spawn();
    let old = sink.subscribe(&source, temporary().max_demand(10)).await.unwrap();
    for (options, error) in [
        (temporary().max_demand(0), WindowError::ZeroMax),
        (temporary().min_demand(2000), WindowError::MinNotBelowMax { max: 1000, min: 2000 }),
    ] {
        let refused = sink.resubscribe(&old, Reason::Normal, &source, options).await;
        assert_eq!(refused, Err(SubscribeError::Demand(error)));
    }
    assert_eq!(up.demands().await, [10]);
}

/// Notes both of its subscribe callbacks.
#[stage(producer_consumer)]
struct Both(Log<String>);

impl ProducerConsumer for Both {
    type Input = u64;
    type Output = u64;

    async fn handle_subscribe(&mut self, producer: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        self.0.push(format!("{:?} {}", producer.side(), producer.peer()));
        Ok(Demand::Automatic)
    }

    async fn handle_subscribed(&mut self, consumer: &Subscription, _: &mut Context<Self>) -> Result {
        self.0.push(format!("{:?} {}", consumer.side(), consumer.peer()));
        Ok(())
    }

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }
}

/// Lines 77 and 79.
#[tokio::test(start_paused = true)]
async fn c077_c079_a_producer_consumer_learns_of_both_sides() {
    let notes = Log::new();
    let both = Both(notes.clone()).spawn();
    let (counter, sink) = (Counter::below(10).spawn(), Collect::<u64>::new().spawn_as("sink"));
    both.subscribe(&counter, temporary()).await.unwrap();
    sink.subscribe(&both, temporary()).await.unwrap();
    settle().await;
    assert_eq!(notes.take(), ["Producer Counter", "Consumer sink"]);
}

/// Line 91: the consumer of a producer-consumer goes down.
#[tokio::test(start_paused = true)]
async fn c091_a_producer_consumer_loses_its_consumer() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::<u64>::new(), ConsumerProbe::new());
    let (source, sink) = (source.spawn(), sink.spawn());
    sink.subscribe(&source, temporary()).await.unwrap();
    down.stop(Reason::custom("killed")).await;
    let cancelled = up.expect_cancel().await;
    assert_eq!((cancelled.kind, cancelled.reason.to_string()), (CancelKind::Down, "killed".to_owned()));
}

/// Finishes, stops or fails in `init`.
#[stage(consumer)]
struct Starts(&'static str);

impl Consumer for Starts {
    type Event = u64;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        match self.0 {
            "finishes" => cx.finish(),
            "stops" => cx.stop(Reason::custom("oops")),
            "fails" => return Err(std::io::Error::other("no such file").into()),
            _ => {}
        }
        Ok(())
    }

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

/// Lines 104 to 106: what `init` can say, and a name that is taken.
#[tokio::test(start_paused = true)]
async fn c104_c105_c106_starting() {
    for (how, reason) in [("finishes", "normal"), ("stops", "oops"), ("fails", "no such file")] {
        assert_eq!(Starts(how).spawn().ended().await.to_string(), reason);
    }
    let (registry, first, second) = (Registry::new(), Starts("").spawn(), Starts("").spawn());
    registry.register("name", &first).unwrap();
    assert_eq!(registry.register("name", &second), Err(NameTaken("name".into())));
}

/// Lines 155 to 162: streams over stages that have ended or refuse them.
#[tokio::test(start_paused = true)]
async fn c155_c157_c158_c159_c161_c162_streams_that_are_refused() {
    #[stage(producer, dispatcher = partition(1))]
    struct One;

    impl Producer for One {
        type Event = u64;

        async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
            Ok(())
        }
    }

    for stays in [true, false] {
        for (cancel, fails) in
            [(Cancel::Permanent, true), (Cancel::Transient, true), (Cancel::Temporary, false)]
        {
            let one = One.spawn();
            let _taken = one.into_stream(Subscribe::new().partition(0)).unwrap();
            let mut stream = one.into_stream(Subscribe::new().cancel(cancel).partition(0)).unwrap();
            settle().await;
            if !stays {
                one.stop(Reason::Normal).await;
            }
            let failure = stream.next().await.map(|item| item.unwrap_err().to_string());
            assert_eq!(
                failure.as_deref(),
                fails.then_some("partition 0 has a consumer already"),
                "{cancel:?}"
            );
            assert!(stream.next().await.is_none());
        }
    }
}

/// Lines 112 and 113 for a producer-consumer: `terminate` learns the reason.
#[tokio::test(start_paused = true)]
async fn c112_c113_terminate_learns_the_reason() {
    let pass = Pass::new();
    let ended = pass.ended.clone();
    pass.spawn().stop(Reason::Normal).await;
    assert_eq!(ended.take(), ["normal"]);
}

/// Lines 114 to 116: what a stage says of itself. (The user's own state is the answer to a `call`.)
#[tokio::test(start_paused = true)]
async fn c114_c115_c116_snapshots() {
    let (_up, source) = ProducerProbe::<u64>::new();
    let (source, pass, sink) =
        (source.spawn_as("source"), Pass::new().spawn(), Collect::<u64>::new().spawn());
    let down = sink.subscribe(&pass, Subscribe::new()).await.unwrap();
    let up = pass.subscribe(&source, Subscribe::new()).await.unwrap();
    let peers = |subscriptions: &[Subscription]| -> Vec<String> {
        subscriptions.iter().map(|subscription| subscription.peer().to_owned()).collect()
    };
    let snapshot = source.snapshot().await.unwrap();
    assert_eq!((&*snapshot.name, snapshot.role), ("source", Kind::Producer));
    assert_eq!((snapshot.dispatcher, snapshot.buffered), (Some("DemandDispatcher"), 0));
    assert_eq!((peers(&snapshot.producers), peers(&snapshot.consumers)), (vec![], vec!["Pass".to_owned()]));

    let snapshot = pass.snapshot().await.unwrap();
    assert_eq!((snapshot.role, snapshot.dispatcher), (Kind::ProducerConsumer, Some("DemandDispatcher")));
    assert_eq!((snapshot.producers, peers(&snapshot.consumers)), (vec![up], vec!["Collect".to_owned()]));

    let snapshot = sink.snapshot().await.unwrap();
    assert_eq!((snapshot.role, snapshot.dispatcher), (Kind::Consumer, None));
    assert_eq!((snapshot.producers, snapshot.consumers), (vec![down], vec![]));
}
