use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = Evens;
    let _ = pipeline! {
        strategy: one_for_al, max_restart: 3, within: 1, within: 2;
        counter = Counter, restart: on_failures;
        printer = Printer, restart: on_failure;

        counter => printer;
    };
    let _ = pipeline! {
        max_restarts: 3;
        counter = Counter, restart: never;
        printer = Printer;

        counter => printer;
    };
}
