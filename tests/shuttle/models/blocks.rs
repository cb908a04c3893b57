//! Stages that work between their callbacks, and an edge that is limited in time.

use std::time::Duration;

use genstage::Pipeline;
use genstage::prelude::*;
use tokio::task::yield_now;

use crate::book::{Book, Event};
use crate::check;
use crate::ending::{ends, runs_to_its_end};
use crate::stages::{Sink, Source};

async fn passes_on(event: Event) -> Event {
    yield_now().await;
    event
}

fn pipeline(book: &Book, end: u64) -> Pipeline {
    let (pipeline, _) = pipeline! {
        source = Source::of(book, end);
        work = map_concurrent(2, passes_on);
        spaced = throttle(Duration::ZERO);
        sink = Sink::new(book);
        source => work [max_demand: 2] => spaced [max_demand: 2] => sink [rate: Rate::per_second(2)];
    }
    .into_parts();
    pipeline
}

ends!(pipeline);

/// What has come together goes out when its time has come, or there is enough of it, or nothing more comes.
#[test]
fn batches() {
    check(async |book: Book| {
        let pipeline = pipeline! {
            source = Source::of(&book, 5);
            sink = Sink::new(&book);
            source => batch(2, Duration::ZERO) [max_demand: 2] => flat_map(|events: Vec<Event>| events) => sink;
        };
        runs_to_its_end(book.clone(), pipeline.into_parts().0).await;
    });
}
