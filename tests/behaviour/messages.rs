//! Calls, casts and infos.

use std::time::Duration;

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{CallError, Ended, Reason, ReplyTo, StageRef, Subscribe, TryCastError};

use crate::stages::{Collect, Log};

/// Emits only what it is told to, and notes what it is told.
#[stage(producer, buffer_size = unbounded)]
#[derive(Default)]
struct Told {
    notes: Log<String>,
}

impl Producer for Told {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

/// Emits.
impl Cast<Vec<u64>> for Told {
    async fn handle_cast(&mut self, events: Vec<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events);
        Ok(())
    }
}

impl Info<&'static str> for Told {
    async fn handle_info(&mut self, info: &'static str, _: &mut Context<Self>) -> Result {
        self.notes.push(info.to_owned());
        Ok(())
    }
}

/// Emits 7, and answers before or after that.
struct Emit {
    answer_first: bool,
}

impl Call<Emit> for Told {
    type Reply = ();

    async fn handle_call(&mut self, request: Emit, reply: ReplyTo<()>, cx: &mut Context<Self>) -> Result {
        cx.emit(7);
        match request.answer_first {
            true => reply.send(()),
            false => reply.after_events((), cx),
        }
        Ok(())
    }
}

/// Never answers.
struct Ignore;

impl Call<Ignore> for Told {
    type Reply = ();

    async fn handle_call(&mut self, _: Ignore, reply: ReplyTo<()>, cx: &mut Context<Self>) -> Result {
        cx.finish();
        drop(reply);
        Ok(())
    }
}

/// Calls itself.
struct Myself(StageRef<Told>);

impl Call<Myself> for Told {
    type Reply = Result<(), CallError>;

    async fn handle_call(
        &mut self,
        Myself(this): Myself,
        reply: ReplyTo<Self::Reply>,
        _: &mut Context<Self>,
    ) -> Result {
        reply.send(this.call(Ignore).await);
        Ok(())
    }
}

/// Waits for ever.
struct Hang;

impl Cast<Hang> for Told {
    async fn handle_cast(&mut self, _: Hang, _: &mut Context<Self>) -> Result {
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_answer_comes_before_or_after_the_events_of_the_same_handler() {
    let told = Told::default().spawn();
    told.call(Emit { answer_first: false }).await.unwrap();
    assert_eq!(told.snapshot().await.unwrap().buffered, 1);
    told.call(Emit { answer_first: true }).await.unwrap();
    assert_eq!(told.snapshot().await.unwrap().buffered, 2);
}

#[tokio::test(start_paused = true)]
async fn calls_fail_with_a_reason() {
    let told = Told::default().spawn();
    assert_eq!(told.call(Myself(told.clone())).await, Ok(Err(CallError::Itself)));
    assert_eq!(told.call(Ignore).await, Err(CallError::NoAnswer));
    assert!(told.ended().await.is_normal());
    assert_eq!(told.call(Ignore).await, Err(CallError::NoAnswer));
    assert_eq!(told.cast(vec![1]).await, Err(Ended(vec![1])));
    assert_eq!(told.try_cast(vec![1]), Err(TryCastError::Ended(vec![1])));

    let told = Told::default().spawn();
    told.cast(Hang).await.unwrap();
    let second = Duration::from_secs(1);
    assert_eq!(told.call_within(second, Ignore).await, Err(CallError::Timeout(second)));
}

#[tokio::test]
async fn the_mailbox_for_messages_is_bounded() {
    let told = Told::default().spawn();
    told.cast(Hang).await.unwrap();
    let sent = (0..5000).take_while(|_| told.try_cast(vec![]).is_ok()).count();
    assert_eq!(sent, 999);
    assert_eq!(told.try_cast(vec![3]), Err(TryCastError::Full(vec![3])));
}

/// Lines 44 and 45 of the catalogue.
#[tokio::test]
async fn c044_c045_an_info_waits_behind_buffered_events() {
    let (told, sink) = (Told::default(), Collect::<u64>::new());
    let (notes, batches) = (told.notes.clone(), sink.batches.clone());
    let (told, sink) = (told.spawn(), sink.spawn());
    told.info("at once").await.unwrap();
    told.snapshot().await;
    assert_eq!(notes.take(), ["at once"]);

    told.cast(vec![1, 2, 3]).await.unwrap();
    told.info("behind").await.unwrap();
    assert_eq!(told.snapshot().await.unwrap().buffered, 3);
    assert_eq!(notes.take(), Vec::<String>::new());
    sink.subscribe(&told, Subscribe::new()).await.unwrap();
    while batches.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(batches.take(), [[1, 2, 3]]);
    assert_eq!(notes.take(), ["behind"]);
}

/// Emits what it is told to, and notes infos.
#[stage(producer, buffer_size = 3)]
struct Three(Log<&'static str>);

impl Producer for Three {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

impl Cast<Vec<u64>> for Three {
    async fn handle_cast(&mut self, events: Vec<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events);
        Ok(())
    }
}

impl Info<&'static str> for Three {
    async fn handle_info(&mut self, info: &'static str, _: &mut Context<Self>) -> Result {
        self.0.push(info);
        Ok(())
    }
}

/// Lines 46, 47 and 48 of the catalogue: an info waits behind what a bounded buffer holds, and takes no place of it when it is full.
#[tokio::test(start_paused = true)]
async fn c046_c047_c048_an_info_waits_in_a_bounded_buffer() {
    for events in [vec![1], vec![1, 2], vec![1, 2, 3]] {
        let (notes, sink) = (Log::new(), Collect::<u64>::new());
        let batches = sink.batches.clone();
        let (three, sink) = (Three(notes.clone()).spawn(), sink.spawn());
        three.cast(events.clone()).await.unwrap();
        three.info("behind").await.unwrap();
        settle().await;
        assert!(notes.is_empty());
        sink.subscribe(&three, Subscribe::new()).await.unwrap();
        settle().await;
        assert_eq!((batches.take(), notes.take()), (vec![events], vec!["behind"]));
        assert_eq!(three.snapshot().await.unwrap().discarded, 0);
    }
}

/// Answers, and stops the stage.
struct StopWith(Reason);

impl Call<StopWith> for Told {
    type Reply = &'static str;

    async fn handle_call(
        &mut self,
        StopWith(reason): StopWith,
        reply: ReplyTo<&'static str>,
        cx: &mut Context<Self>,
    ) -> Result {
        reply.send("ok");
        cx.stop(reason);
        Ok(())
    }
}

/// Line 109 of the catalogue.
#[tokio::test]
async fn c109_a_call_may_stop_the_stage_and_be_answered() {
    let told = Told::default().spawn();
    assert_eq!(told.call(StopWith(Reason::Shutdown)).await, Ok("ok"));
    assert!(matches!(told.ended().await, Reason::Shutdown));
}

/// Lines 112 and 113 of the catalogue.
#[tokio::test]
async fn c112_stop_ends_a_stage_with_a_reason() {
    let told = Told::default().spawn();
    assert!(told.stop(Reason::Normal).await.is_normal());
    assert!(told.has_ended());
    let sink = Collect::<u64>::new().spawn();
    assert!(matches!(sink.stop(Reason::custom("oops")).await, Reason::Custom(oops) if &*oops == "oops"));
}

/// A stage that nobody can reach any more ends.
#[tokio::test]
async fn a_spawned_stage_ends_with_its_last_handle() {
    let pass = crate::stages::Pass::new();
    let ended = pass.ended.clone();
    let handle = pass.spawn_as("pass");
    assert_eq!(handle.name(), "pass");
    drop(handle);
    while ended.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(ended.take(), ["normal"]);
}
