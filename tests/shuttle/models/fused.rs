//! Stages that share a task with others: sources, and what comes behind.

use genstage::Pipeline;
use genstage::prelude::*;

use crate::book::Book;
use crate::check;
use crate::ending::{is_drained, is_stopped, runs_to_its_end};
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
    check(async |book: Book| runs_to_its_end(book.clone(), pipeline(&book, 5)).await);
}

#[test]
fn a_pipeline_that_is_drained() {
    check(async |book: Book| is_drained(book.clone(), pipeline(&book, u64::MAX)).await);
}

#[test]
fn a_pipeline_that_is_stopped() {
    check(async |book: Book| is_stopped(book.clone(), pipeline(&book, u64::MAX)).await);
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
