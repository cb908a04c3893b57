use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        a = Evens;
        b = Evens;
        printer = Printer;
        counter => a |> b => printer;
        from_iter(0..3u64) => a |> b => printer;
        from_iter(0..3u64) => a |> map(|n| n) => printer;
        from_iter(0..3u64) |> b => printer;
        // What is in the middle takes from no other, and gives to no other.
        counter => b;
        a => printer;
    };
    let _ = pipeline! {
        counter = Counter;
        a = Evens;
        b = Evens;
        c = Evens;
        printer = Printer;
        counter => a |> b |> a => printer;
        counter => c |> c => printer;
    };
    let _ = pipeline! {
        a = Evens;
        b = Evens;
        c = Evens;
        a |> b => c => a;
    };
}
