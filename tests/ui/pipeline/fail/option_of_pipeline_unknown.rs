use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = Evens;
    let _ = pipeline! {
        colour: 3, warn_afetr: 1;
        counter = Counter;
        printer = Printer;
        counter => printer;
    };
    let _ = pipeline! {
        warn_after: 1;
        counter = Counter;
        printer = Printer;
        counter => printer;
    };
}
