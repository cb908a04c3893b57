use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        printer = Printer;
        From { next: 3 } => printer;
        from_iter(0..3).map(|n| n) => printer;
    };
}
