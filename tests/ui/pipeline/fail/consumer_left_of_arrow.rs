use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        printer = Printer;
        other = Printer;
        printer => other;
    };
}
