use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        let counter = Counter;
        printer = Printer;
        counter => printer;
    };
}
