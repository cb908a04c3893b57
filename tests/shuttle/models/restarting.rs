//! Stages that are begun anew in place while their neighbours go on.

use genstage::prelude::*;
use genstage::{Cancel, StageRef, Subscribe};

use crate::book::Book;
use crate::check;
use crate::stages::{Fail, Middle, Sink, Source};

/// Has a stage fail, so many times.
async fn fail<S: genstage::Stage + Cast<Fail>>(stage: StageRef<S>, times: usize) {
    for _ in 0..times {
        // It may have ended.
        let _ = stage.cast(Fail).await;
    }
}

#[test]
fn a_producer_and_a_consumer() {
    check(async |book: Book| {
        let (ours, theirs) = (book.clone(), book.clone());
        let running = pipeline! {
            source = Source::of(&ours, 6), restart: on_failure;
            sink = Sink::new(&theirs), restart: on_failure;
            source => sink;
        }
        .start()
        .expect("a runtime");
        let fails =
            [tokio::spawn(fail(running.source.clone(), 1)), tokio::spawn(fail(running.sink.clone(), 2))];
        let summary = running.join().await.expect("restarts heal it");
        for failed in fails {
            failed.await.expect("no panic");
        }
        book.balances(&summary);
    });
}

#[test]
fn a_producer_whose_consumers_come_and_go() {
    check(async |book: Book| {
        let ours = book.clone();
        let running = pipeline! {
            source = Source::endless(&ours), restart: on_failure, open;
        }
        .start()
        .expect("a runtime");
        let fails = tokio::spawn(fail(running.source.clone(), 2));
        let sink = Sink::manual(&book).spawn();
        let subscribe = || Subscribe::new().cancel(Cancel::Temporary);
        for _ in 0..2 {
            let subscription = sink.subscribe(&running.source, subscribe()).await.expect("it lives");
            sink.ask(&subscription, 2).await;
            sink.cancel(&subscription, genstage::Reason::Normal).await;
        }
        let subscription = sink.subscribe(&running.source, subscribe()).await.expect("it lives");
        let before = book.handled();
        sink.ask(&subscription, 3).await;
        fails.await.expect("no panic");
        // What it is asked for comes, whoever has to make it in the end.
        while book.handled() < before + 3 {
            tokio::task::yield_now().await;
        }
        running.stop(genstage::Reason::Normal).await.expect("restarts heal it");
    });
}

#[test]
fn all_while_the_pipeline_is_drained() {
    check(async |book: Book| {
        let [first, second, third] = [(); 3].map(|()| book.clone());
        let running = pipeline! {
            strategy: one_for_all;
            source = Source::endless(&first), restart: on_failure;
            middle = Middle::new(&second), restart: on_failure;
            sink = Sink::new(&third), restart: on_failure;
            source => middle => sink;
        }
        .start()
        .expect("a runtime");
        let fails = tokio::spawn(fail(running.sink.clone(), 1));
        let summary = running.drain().await.expect("restarts heal it");
        fails.await.expect("no panic");
        book.balances(&summary);
        assert_eq!(summary.stages().iter().map(|stage| stage.discarded).sum::<u64>(), 0, "in\n{summary}");
    });
}

#[test]
fn more_often_than_it_may() {
    check(async |book: Book| {
        let (ours, theirs) = (book.clone(), book.clone());
        let running = pipeline! {
            max_restarts: 1;
            source = Source::endless(&ours), restart: on_failure;
            sink = Sink::new(&theirs);
            source => sink;
        }
        .start()
        .expect("a runtime");
        let fails = tokio::spawn(fail(running.source.clone(), 2));
        let Err(genstage::Failure::Stage { summary, .. }) = running.join().await else {
            panic!("it has failed")
        };
        fails.await.expect("no panic");
        book.balances(&summary);
    });
}
