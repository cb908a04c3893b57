use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        other = Counter;
        printer = Printer;
        counter => other => printer;
    };
}
