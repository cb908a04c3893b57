use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        a = Evens;
        b = Evens;
        c = Evens;
        printer = Printer;
        counter => a => b => c => printer;
        c => a;
    };
}
