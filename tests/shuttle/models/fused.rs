//! Stages that share a task with others: sources, and what comes behind.

use genstage::Pipeline;
use genstage::prelude::*;

use crate::book::Book;
use crate::check;
use crate::ending::ends;
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

ends!(pipeline);

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
