use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        printer = Printer, replicas;
        other = Printer, replicas = 3;
        counter => { printer [max_demand], other [max_demand = 4] };
    };
}
