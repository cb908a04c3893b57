use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        printer = Printer, replicas: 2, replicas: 3;
        counter => printer [max_demand: 10, max_demand: 5];
    };
}
