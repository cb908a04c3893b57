//! Each part has a handle of its own, whose messages find it in the stage that it is in.

use std::time::Duration;

use futures_util::StreamExt;
use genstage::prelude::*;
use genstage::{
    Call, CallError, Cast, Demand, Info, Reason, ReplyTo, StageRef, Subscribe, SubscribeError, Subscription,
};

use super::flat;
use crate::stages::{Collect, Log};

/// Notes everything that it hears, and by which name; passes on what comes.
#[stage(producer_consumer)]
struct Hears {
    notes: Log<String>,
    rings: usize,
}

impl Hears {
    fn new(notes: &Log<String>) -> Self {
        Self { notes: notes.clone(), rings: 0 }
    }

    fn note(&self, what: &str, cx: &Context<Self>) {
        self.notes.push(format!("{} {what}", cx.name()));
    }
}

impl ProducerConsumer for Hears {
    type Input = u64;
    type Output = u64;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        self.note(&format!("is {}", cx.this().map_or_else(String::new, |this| this.name().to_owned())), cx);
        cx.send_after(Duration::from_secs(60), "ring");
        Ok(())
    }

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }

    async fn handle_subscribe(&mut self, producer: &Subscription, cx: &mut Context<Self>) -> Result<Demand> {
        self.note(&format!("after {}", producer.peer()), cx);
        Ok(Demand::Automatic)
    }

    async fn handle_subscribed(&mut self, consumer: &Subscription, cx: &mut Context<Self>) -> Result {
        self.note(&format!("before {}", consumer.peer()), cx);
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &genstage::Cancelled, cx: &mut Context<Self>) -> Result {
        self.note(&format!("without {:?}", cancelled.side()), cx);
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.notes.push(format!("{reason}"));
    }
}

impl Cast<&'static str> for Hears {
    async fn handle_cast(&mut self, what: &'static str, cx: &mut Context<Self>) -> Result {
        self.rings += 1;
        self.note(what, cx);
        Ok(())
    }
}

/// Emits the number.
impl Info<u64> for Hears {
    async fn handle_info(&mut self, n: u64, cx: &mut Context<Self>) -> Result {
        cx.emit(n);
        Ok(())
    }
}

/// How often it was called; emits the number before the answer is given.
impl Call<u64> for Hears {
    type Reply = usize;

    async fn handle_call(&mut self, n: u64, reply: ReplyTo<usize>, cx: &mut Context<Self>) -> Result {
        cx.emit(n);
        reply.after_events(self.rings, cx);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn messages_and_timers_find_their_part() {
    let ((input, source), notes, sink) = (genstage::from_sink(1), Log::new(), Collect::new());
    let batches = sink.batches.clone();
    let app = pipeline! {
        source = source;
        first = Hears::new(&notes);
        middle = Hears::new(&notes);
        last = Hears::new(&notes);
        sink = sink;
        source => first |> middle |> last => sink;
    };
    let [first, middle, last] = [&app.first, &app.middle, &app.last].map(StageRef::clone);
    assert_eq!([&first, &middle, &last].map(|part| part.name()), ["first", "middle", "last"]);
    let app = app.start().unwrap();
    middle.cast("hears").await.unwrap();
    first.info(1).await.unwrap();
    assert_eq!(middle.call(2).await.unwrap(), 1);
    assert_eq!(last.call(3).await.unwrap(), 0);
    drop(input);
    let summary = app.join().await.unwrap();
    assert_eq!(flat(&batches), [1, 2, 3]);
    assert_eq!(summary.stage("first |> middle |> last").map(|stage| stage.events_out), Some(3));
    assert_eq!(
        notes.take(),
        [
            "first is first",
            "middle is middle",
            "last is last",
            "middle before last",
            "last after middle",
            "first before middle",
            "middle after first",
            "first after source",
            "last before sink",
            "middle hears",
            "first without Producer",
            "middle without Producer",
            "last without Producer",
            "normal",
            "normal",
            "normal"
        ]
    );
    assert!(matches!(last.call(4).await, Err(CallError::NoAnswer)));
    assert!(matches!(first.ended().await, Reason::Normal));
}

#[tokio::test(start_paused = true)]
async fn timers_reach_their_part() {
    let notes = Log::new();
    let app = pipeline! {
        first = Hears::new(&notes);
        last = Hears::new(&notes), open;
        from_stream(futures_util::stream::pending::<u64>()) => first |> last;
    };
    let app = app.start().unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    let rings: Vec<_> = notes.take().into_iter().filter(|note| note.ends_with("ring")).collect();
    assert_eq!(rings, ["first ring", "last ring"]);
    assert!(matches!(app.first.stop(Reason::Normal).await, Reason::Normal));
    assert!(app.last.has_ended());
}

/// What faces others can be subscribed, and what does not says so.
#[tokio::test]
async fn subscribing_later() {
    let notes = Log::new();
    let app = pipeline! {
        first = Hears::new(&notes);
        last = Hears::new(&notes), open;
        other = from_iter(3..6u64), open;
        from_iter(0..3u64) => first |> last;
    }
    .start()
    .unwrap();
    let events = app.last.into_stream(Subscribe::new()).unwrap();
    let refused = app.last.subscribe(&app.other, Subscribe::new()).await;
    assert_eq!(refused.unwrap_err(), SubscribeError::Fused);
    // Between the two there is nothing to subscribe to.
    let mut none = app.first.into_stream(Subscribe::new()).unwrap();
    assert!(matches!(none.next().await, Some(Err(Reason::NoStage))));
    app.first.subscribe(&app.other, Subscribe::new().cancel(genstage::Cancel::Complete)).await.unwrap();
    let mut all: Vec<_> = events.take(6).map(|event| event.unwrap()).collect().await;
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn replicas_have_one_each() {
    let notes = Log::new();
    let count = 3;
    let app = pipeline! {
        first = Hears::new(&notes), replicas: 2;
        last = Hears::new(&notes);
        some = Hears::new(&notes), replicas: count;
        from_iter(0..10u64) => first |> last => map(|n| n) |> some => for_each(drop);
    };
    let [one, two] = &app.first;
    assert_eq!([one.name(), two.name(), app.last[1].name()], ["first[0]", "first[1]", "last[1]"]);
    assert_eq!(app.some.len(), 3);
    let summary = app.run().await.unwrap();
    let names: Vec<_> = summary.stages().iter().map(|stage| &*stage.name).collect();
    assert_eq!(
        names,
        [
            "first[0] |> last[0]",
            "first[1] |> last[1]",
            "map[0] |> some[0]",
            "map[1] |> some[1]",
            "map[2] |> some[2]",
            "from_iter",
            "for_each"
        ]
    );
    assert_eq!(summary.stage("for_each").map(|sink| sink.events_in), Some(10));
}
