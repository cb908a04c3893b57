use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        evens = Evens;
        printer = Printer;
        counter => evens => printer;
        evens => evens;
    };
}
