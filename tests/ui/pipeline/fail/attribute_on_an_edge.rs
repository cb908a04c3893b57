use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        #[cfg(any())]
        evens = Evens;
        printer = Printer;

        counter => evens => printer;
        #[cfg(all())]
        counter => printer;
    };
}
