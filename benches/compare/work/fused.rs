//! Five fused stages: numbers, to which four add one each, summed up behind them.

use std::hint::black_box;
use std::mem::swap;

use anyhow::Result;
use genstage::prelude::pipeline;

use super::events::{Total, sum};
use super::stages::{AddOne, Numbers, Source, Sum};
use crate::measure::{Case, run};
use crate::rivals::halves;

/// How many stages add one.
const ADDING: usize = 4;

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let case = |(window, events): (usize, u64)| {
        let events = events / scale;
        Case {
            work: "five fused stages",
            window,
            consumers: 1,
            events,
            ours: run(move || ours(events, window)),
            rivals: vec![("a loop over batches", run(move || in_a_loop(events, window)))],
        }
    };
    [(1000, 4_000_000), (10, 1_000_000)].map(case).into()
}

async fn ours(events: u64, window: usize) -> Result<u64> {
    let total = Total::default();
    let app = pipeline! {
        a = Source(Numbers::below(events));
        b = AddOne;
        c = AddOne;
        d = AddOne;
        e = AddOne;
        sum = Sum::new(&total);
        a |> b |> c |> d |> e => sum [max_demand: window];
    };
    app.run().await?;
    Ok(total.get())
}

/// The limit: what each stage does to a batch, one after the other.
async fn in_a_loop(events: u64, window: usize) -> Result<u64> {
    let (batch, _) = halves(window);
    let (mut next, mut total, mut numbers, mut added) = (0, 0u64, vec![], vec![]);
    while next < events {
        let end = events.min(next + batch as u64);
        numbers.extend(next..end);
        for _ in 0..ADDING {
            added.extend(black_box(&mut numbers).drain(..).map(|n: u64| n.wrapping_add(1)));
            swap(&mut numbers, &mut added);
        }
        total = total.wrapping_add(sum(black_box(&numbers)));
        numbers.clear();
        next = end;
    }
    Ok(total)
}
