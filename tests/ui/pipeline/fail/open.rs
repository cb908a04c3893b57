use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = Evens;
    let _ = pipeline! {
        counter = Counter, open: true;
        evens = Evens, open;
        printer = Printer, open;
        again = Counter, open, opn, open;

        counter => printer;
    };
}
