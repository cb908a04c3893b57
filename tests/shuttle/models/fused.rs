//! Stages that share a task with others: sources, and what comes behind.

use genstage::prelude::*;
use genstage::{Pipeline, Reason};
use tokio::task::yield_now;

use crate::book::Book;
use crate::check;
use crate::stages::{Fail, Middle, Sink, Source};

/// A fused source, and a fused sink.
fn pipeline(book: &Book, end: u64) -> Pipeline {
    let (pipeline, _) = pipeline! {
        source = Source::of(book, end);
        first = Middle::new(book);
        second = Middle::new(book);
        sink = Sink::new(book);
        source |> first => second |> sink;
    }
    .into_parts();
    pipeline
}

#[test]
fn a_pipeline_that_runs_to_its_end() {
    check(async |book: Book| {
        let summary = pipeline(&book, 5).run().await.expect("nothing fails");
        assert_eq!(book.handled_in_order(), 5);
        book.balances(&summary);
    });
}

#[test]
fn a_pipeline_that_is_drained() {
    check(async |book: Book| {
        let running = pipeline(&book, u64::MAX).start().expect("a runtime");
        yield_now().await;
        let summary = running.drain().await.expect("nothing fails");
        assert_eq!(book.handled_in_order(), book.made());
        book.balances(&summary);
    });
}

#[test]
fn a_pipeline_that_is_stopped() {
    check(async |book: Book| {
        let running = pipeline(&book, u64::MAX).start().expect("a runtime");
        yield_now().await;
        let summary = running.stop(Reason::Normal).await.expect("nothing fails");
        book.handled_in_order();
        book.balances(&summary);
    });
}

/// A message to a part goes to the whole, which begins anew as one.
#[test]
fn a_part_that_is_told_to_fail() {
    check(async |book: Book| {
        let (ours, theirs, last) = (book.clone(), book.clone(), book.clone());
        let running = pipeline! {
            source = Source::of(&ours, 6), restart: on_failure;
            middle = Middle::new(&theirs), restart: on_failure;
            sink = Sink::new(&last);
            source |> middle => sink;
        }
        .start()
        .expect("a runtime");
        let source = running.source.clone();
        let failing = tokio::spawn(async move {
            // It may have ended.
            let _ = source.cast(Fail).await;
        });
        let summary = running.join().await.expect("restarts heal it");
        failing.await.expect("no panic");
        book.balances(&summary);
    });
}
