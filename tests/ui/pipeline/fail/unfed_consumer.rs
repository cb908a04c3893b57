use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        evens = Evens;
        printer = Printer;
        evens => printer;
    };
}
