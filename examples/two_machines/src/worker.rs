//! A worker: takes parts, counts their words, and hands the counts on.

use std::thread::available_parallelism;

use genstage::Pipeline;
use genstage::prelude::*;
use genstage::remote::Delivered;
use tokio::signal::ctrl_c;

use crate::count::{Count, Counted};
use crate::run::{Numbered, Run};

/// Counts until the run is over, or until Ctrl-C.
pub(crate) async fn run(server: &str, name: &str) -> Result {
    let run = Run::join(server, name).await?;
    let ended = pipeline(&run).run_until(ctrl_c()).await;
    // Its exchanges are gone then: that is no failure.
    if run.is_over().await {
        eprintln!("{name} is over");
        return Ok(());
    }
    ended?;
    Ok(())
}

pub(crate) fn pipeline(run: &Run) -> Pipeline {
    let (pipeline, _) = pipeline! {
        parts  = run.parts.source("workers");
        count  = map(counter()), replicas: available_parallelism().map_or(1, Into::into);
        counts = run.counts.forward().id(|counted| counted.number);

        parts => count [max_demand: 4] => counts [max_demand: 4];
    }
    .into_parts();
    pipeline
}

/// What counts the words of a part. It is settled when its counts are, which go on in its place.
fn counter() -> impl FnMut(Delivered<Numbered<String>>) -> Delivered<Numbered<Counted>> {
    let mut count = Count::default();
    move |part| {
        part.map(|Numbered { number, part }| Numbered { number, part: part.map(|part| count.part(part)) })
    }
}
