use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        evens = Evens;
        counter |> map(|n: u64| n.to_string()) |> evens => for_each(|n| println!("{n}"));
        from_iter(0..3u64) |> map(|n| n) => map(|line: String| line) |> for_each(|line| println!("{line}"));
    };
}
