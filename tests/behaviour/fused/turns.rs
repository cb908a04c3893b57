//! What it costs: no turn of another task between two parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use genstage::prelude::*;
use tokio::task::yield_now;

use super::flat;
use crate::stages::{Collect, Log};

/// How often another task has had its turn: in a runtime of one thread, between any two of a task that wakes nobody.
#[derive(Clone, Default)]
struct Turns(Arc<AtomicUsize>);

impl Turns {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts, in a task of its own, until the runtime ends.
    fn counted() -> Self {
        let turns = Self::default();
        let counter = turns.clone();
        tokio::spawn(async move {
            loop {
                counter.0.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        });
        turns
    }
}

/// The events that took a turn of another task from here to there, of those that came over a window of one.
async fn late(fused: bool) -> usize {
    let turns = Turns::counted();
    let (sent, came) = (Log::new(), Log::new());
    let send = {
        let (turns, sent) = (turns.clone(), sent.clone());
        move |n: u64| {
            sent.push(turns.count());
            n
        }
    };
    let come = {
        let (turns, came) = (turns.clone(), came.clone());
        move |n: u64| {
            came.push(turns.count());
            n
        }
    };
    let app = match fused {
        true => {
            pipeline! { from_iter(0..100) => map(send) [max_demand: 1] |> map(come) => for_each(drop) [max_demand: 1]; }
                .into_parts()
                .0
        }
        false => {
            pipeline! { from_iter(0..100) => map(send) [max_demand: 1] => map(come) [max_demand: 1] => for_each(drop) [max_demand: 1]; }
                .into_parts()
                .0
        }
    };
    app.run().await.unwrap();
    let (sent, came) = (sent.take(), came.take());
    assert_eq!((sent.len(), came.len()), (100, 100));
    sent.iter().zip(&came).filter(|(sent, came)| sent != came).count()
}

#[tokio::test]
async fn a_fused_edge_costs_no_task_switch() {
    assert_eq!(late(true).await, 0);
    // An edge does: it is what is measured here.
    assert!(late(false).await > 0);
}

#[tokio::test]
async fn a_filter_in_a_source_does_not_stall_it() {
    let few = |n: &u64| n.is_multiple_of(10_007);
    let expected: Vec<_> = (0..100_000).filter(few).collect();

    let sink = Collect::new();
    let batches = sink.batches.clone();
    pipeline! { sink = sink; from_iter(0..100_000u64) |> filter(few) => sink [max_demand: 1]; }
        .run()
        .await
        .unwrap();
    assert_eq!(flat(&batches), expected);

    let sink = Collect::new();
    let batches = sink.batches.clone();
    let stream = futures_util::stream::iter(0..100_000u64);
    pipeline! { sink = sink; from_stream(stream) |> filter(few) |> map(|n| n) => sink [max_demand: 2]; }
        .run()
        .await
        .unwrap();
    assert_eq!(flat(&batches), expected);
}

/// A source of which nothing is left goes on for ever; it hears all the same, and others have their turns.
#[tokio::test]
async fn a_source_that_is_asked_again_and_again_can_be_reached() {
    let app = pipeline! { source = from_iter(0u64..); source |> filter(|_: &u64| false) => for_each(drop); };
    let running = app.start().unwrap();
    for _ in 0..10 {
        yield_now().await;
    }
    assert_eq!(running.source.snapshot().await.map(|snapshot| snapshot.events_out), Some(0));
    running.drain().await.unwrap();
}
