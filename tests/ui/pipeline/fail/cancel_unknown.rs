use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        printer = Printer;
        other = Printer;
        counter => { printer [cancel: temporay], other [cancel: 5 + 3] };
    };
}
