// Stages that work between their callbacks share a task with none.
use std::time::Duration;

use genstage::prelude::*;

fn main() {
    let batch_last = pipeline! {
        rows = batch(10, Duration::from_secs(1));
        from_iter(0..9) |> rows => for_each(|_: Vec<u32>| {});
    };
    let batch_first = pipeline! {
        rows = batch(10, Duration::from_secs(1));
        from_iter(0..9) => rows |> for_each(|_: Vec<u32>| {});
    };
}
