use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let text = String::from("counted");
    let _ = pipeline! {
        evens = Evens, restart: on_failure;
        named = { drop(text); Evens };
        printer = Printer;
        from_iter(0..3u64) => evens |> named => printer;
    };
}
