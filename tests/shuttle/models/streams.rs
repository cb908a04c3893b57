//! Streams that are dropped while events are on their way to them.

use futures_util::StreamExt;
use genstage::prelude::*;
use genstage::{EventStream, Reason, StageRef, Subscribe};

use crate::book::{Book, Event};
use crate::check;
use crate::stages::Source;

fn stream(source: &StageRef<Source>) -> EventStream<Event> {
    source.into_stream(Subscribe::new().max_demand(3).min_demand(1)).expect("a window")
}

/// Handles so many events of a new stream, and drops it.
async fn reads(source: StageRef<Source>, events: usize) {
    let mut stream = stream(&source);
    for _ in 0..events {
        if let Some(Ok(event)) = stream.next().await {
            event.handle();
        }
    }
}

async fn consumers(source: &StageRef<Source>) -> usize {
    source.snapshot().await.map_or(0, |source| source.consumers.len())
}

#[test]
fn what_a_stream_leaves_comes_next() {
    check(async |book: Book| {
        let source = Source::of(&book, 8).spawn();
        reads(source.clone(), 1).await;
        reads(source.clone(), 2).await;
        reads(source.clone(), 8).await;
        assert_eq!(book.handled_in_order(), 8);
        assert!(matches!(source.ended().await, Reason::Normal));
    });
}

#[test]
fn a_stream_that_is_dropped_beside_another() {
    check(async |book: Book| {
        let source = Source::endless(&book).spawn();
        let short = tokio::spawn(reads(source.clone(), 1));
        reads(source.clone(), 2).await;
        short.await.expect("no panic");
        reads(source.clone(), 8).await;
        assert_eq!(book.handled_without_gaps(), 11);
        assert_eq!(consumers(&source).await, 0);
    });
}

#[test]
fn a_stream_that_is_dropped_while_its_stage_stops() {
    check(async |book: Book| {
        let source = Source::endless(&book).spawn();
        let stopping = source.clone();
        let stops = tokio::spawn(async move { stopping.stop(Reason::Shutdown).await });
        reads(source, 2).await;
        assert!(matches!(stops.await, Ok(Reason::Shutdown)));
        book.handled_in_order();
    });
}
