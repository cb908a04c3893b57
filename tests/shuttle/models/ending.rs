//! Pipelines that end while events are on their way.

use genstage::prelude::*;
use genstage::{Pipeline, Reason};
use tokio::task::yield_now;

use crate::book::Book;
use crate::check;
use crate::stages::{Middle, Sink, Source};

fn pipeline(book: &Book, end: u64) -> Pipeline {
    let (pipeline, _) = pipeline! {
        source = Source::of(book, end);
        middle = Middle::new(book);
        sink = Sink::new(book);
        source => middle => sink;
    }
    .into_parts();
    pipeline
}

/// Lets the others do something, or not.
pub(crate) async fn a_moment() {
    tokio::time::sleep(std::time::Duration::ZERO).await;
    yield_now().await;
}

/// Runs a pipeline of five events.
pub(crate) async fn runs_to_its_end(book: Book, pipeline: Pipeline) {
    let summary = pipeline.run().await.expect("nothing fails");
    assert_eq!(book.handled_in_order(), 5);
    book.balances(&summary);
}

/// Drains a pipeline that would go on for ever.
pub(crate) async fn is_drained(book: Book, pipeline: Pipeline) {
    let running = pipeline.start().expect("a runtime");
    a_moment().await;
    let summary = running.drain().await.expect("nothing fails");
    assert_eq!(book.handled_in_order(), book.made());
    book.balances(&summary);
}

/// Stops a pipeline that would go on for ever.
pub(crate) async fn is_stopped(book: Book, pipeline: Pipeline) {
    let running = pipeline.start().expect("a runtime");
    a_moment().await;
    let summary = running.stop(Reason::Normal).await.expect("nothing fails");
    book.handled_in_order();
    book.balances(&summary);
}

/// Models of the ends of what `pipeline` makes, beside it.
macro_rules! ends {
    ($pipeline:ident) => {
        #[test]
        fn a_pipeline_that_runs_to_its_end() {
            crate::check(async |book: Book| {
                crate::ending::runs_to_its_end(book.clone(), $pipeline(&book, 5)).await
            });
        }

        #[test]
        fn a_pipeline_that_is_drained() {
            crate::check(async |book: Book| {
                crate::ending::is_drained(book.clone(), $pipeline(&book, u64::MAX)).await
            });
        }

        #[test]
        fn a_pipeline_that_is_stopped() {
            crate::check(async |book: Book| {
                crate::ending::is_stopped(book.clone(), $pipeline(&book, u64::MAX)).await
            });
        }
    };
}

pub(crate) use ends;

ends!(pipeline);

#[test]
fn a_pipeline_that_is_aborted() {
    check(async |book: Book| {
        let running = pipeline(&book, 7).start().expect("a runtime");
        a_moment().await;
        let summary = running.abort().await.expect("nothing fails");
        book.handled_in_order();
        book.balances(&summary);
    });
}

#[test]
fn an_idle_pipeline_that_is_aborted() {
    check(async |book: Book| {
        let ours = book.clone();
        let running = pipeline! {
            source = Source::endless(&ours), open;
        }
        .start()
        .expect("a runtime");
        let source = running.source.clone();
        a_moment().await;
        let summary = running.abort().await.expect("nothing fails");
        assert!(matches!(source.ended().await, Reason::Shutdown));
        book.balances(&summary);
    });
}

#[test]
fn a_pipeline_that_is_dropped() {
    check(async |book: Book| {
        let running = pipeline(&book, u64::MAX).start().expect("a runtime");
        a_moment().await;
        // Its tasks end, and what they had terminates.
        drop(running);
    });
}

#[test]
fn a_pipeline_that_has_so_much_time_to_drain() {
    check(async |book: Book| {
        let running = pipeline(&book, u64::MAX).start().expect("a runtime");
        a_moment().await;
        let summary = match running.drain_within(std::time::Duration::from_secs(1)).await {
            Ok(summary) => {
                assert_eq!(book.handled_in_order(), book.made());
                summary
            }
            Err(genstage::Failure::CutOff { summary, .. }) => summary,
            Err(failure) => panic!("{failure}"),
        };
        book.balances(&summary);
    });
}
