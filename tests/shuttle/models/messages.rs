//! Messages, names and handles of stages that are ending.

use std::sync::Arc;

use genstage::prelude::*;
use genstage::{Call, CallError, Reason, Registry, ReplyTo, StageRef, TryCastError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::book::{Book, Life};
use crate::check;

/// Adds up what it is told, and answers with the sum.
#[stage(consumer)]
struct Adder {
    life: Life,
    sum: usize,
}

impl Adder {
    fn new(book: &Book) -> Self {
        Self { life: book.life(), sum: 0 }
    }
}

impl Consumer for Adder {
    type Event = ();

    async fn handle_events(&mut self, _: &mut Batch<()>, _: &mut Context<Self>) -> Result {
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.life.terminate(reason);
    }
}

impl Cast<usize> for Adder {
    async fn handle_cast(&mut self, number: usize, _: &mut Context<Self>) -> Result {
        self.sum += number;
        Ok(())
    }
}

/// Holds the stage up until it is told to go on.
struct Hold(Arc<Notify>);

impl Cast<Hold> for Adder {
    async fn handle_cast(&mut self, Hold(go_on): Hold, _: &mut Context<Self>) -> Result {
        go_on.notified().await;
        Ok(())
    }
}

/// Asks for the sum.
struct Sum;

impl Call<Sum> for Adder {
    type Reply = usize;

    async fn handle_call(&mut self, _: Sum, reply: ReplyTo<usize>, cx: &mut Context<Self>) -> Result {
        // The stage's own handle comes and goes, too.
        drop(cx.this());
        reply.send(self.sum);
        Ok(())
    }
}

/// Holds the stage up and fills its mailbox; what lets it go on, and how much there was room for.
fn fill(adder: &StageRef<Adder>) -> (Arc<Notify>, usize) {
    let go_on = Arc::new(Notify::new());
    assert!(adder.try_cast(Hold(go_on.clone())).is_ok());
    let room = (0..).take_while(|_| adder.try_cast(1).is_ok()).count();
    (go_on, room)
}

fn calls(adder: &StageRef<Adder>) -> JoinHandle<Result<usize, CallError>> {
    let adder = adder.clone();
    tokio::spawn(async move { adder.call(Sum).await })
}

#[test]
fn a_stage_that_stops_with_a_full_mailbox() {
    check(async |book: Book| {
        let adder = Adder::new(&book).spawn();
        let (go_on, room) = fill(&adder);
        let calls = [calls(&adder), calls(&adder)];
        let casting = adder.clone();
        let casts = tokio::spawn(async move { casting.cast(1).await.is_ok() });
        go_on.notify_one();
        adder.stop(Reason::Normal).await;
        for call in calls {
            match call.await.expect("no panic") {
                Ok(sum) => assert!(sum <= room + 1, "{sum} of {room}"),
                Err(error) => assert_eq!(error, CallError::NoAnswer),
            }
        }
        casts.await.expect("no panic");
        assert!(matches!(adder.try_cast(1), Err(TryCastError::Ended(1))));
        assert_eq!(adder.call(Sum).await, Err(CallError::NoAnswer));
    });
}

#[test]
fn a_full_mailbox_that_empties() {
    check(async |book: Book| {
        let adder = Adder::new(&book).spawn();
        let (go_on, room) = fill(&adder);
        let casting = adder.clone();
        let casts = tokio::spawn(async move { casting.cast(1).await.is_ok() });
        go_on.notify_one();
        assert!(casts.await.expect("no panic"));
        assert_eq!(adder.call(Sum).await, Ok(room + 1));
    });
}

#[test]
fn the_last_handle() {
    check(async |book: Book| {
        let adder = Adder::new(&book).spawn();
        let watching = calls(&adder);
        let others = [adder.clone(), adder].map(|handle| tokio::spawn(async move { drop(handle) }));
        assert_eq!(watching.await.expect("no panic"), Ok(0));
        for other in others {
            other.await.expect("no panic");
        }
    });
}

#[test]
fn a_name_that_two_want() {
    check(async |book: Book| {
        let registry = Registry::new();
        let stages = [Adder::new(&book).spawn(), Adder::new(&book).spawn()];
        let registers = stages.each_ref().map(|stage| {
            let (registry, stage) = (registry.clone(), stage.clone());
            tokio::spawn(async move { registry.register("adder", &stage).is_ok() })
        });
        let [first, second] = registers;
        let won = [first.await.expect("no panic"), second.await.expect("no panic")];
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let named: StageRef<Adder> = registry.find("adder").expect("it lives");
        let stopping = named.clone();
        let stops = tokio::spawn(async move { stopping.stop(Reason::Normal).await });
        // The name comes free with the end of its stage, and not before.
        let free = registry.register("adder", &stages[usize::from(won[0])]).is_ok();
        assert!(!free || named.has_ended());
        let _ = stops.await;
        let free = free || registry.register("adder", &stages[usize::from(won[0])]).is_ok();
        assert!(free);
        assert_eq!(registry.find::<Adder>("adder").is_some(), free);
    });
}
