use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        printer = Printer;
        counter |> printer;
        from_iter(0..3u64) |> map(|n| n) |> for_each(|n| println!("{n}"));
    };
}
