use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        printer = Printer;
        counter => printer [partition: 0];
    };
}
