use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        evens = Evens;
        printer = Printer, replicas: 2;
        unused = Printer;
        broken = Printer, replicas = 2;
        counter => evens => pirnter;
        evens => printer [max_demand: 0];
        printer => broken;
        counter => for_each(|line: String| println!("{line}"));
    };
}
