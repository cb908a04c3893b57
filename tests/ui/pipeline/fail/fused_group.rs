use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        a = Evens;
        b = Evens;
        printer = Printer;
        counter => { a, b } |> printer;
        counter |> { a, b } => printer;
        counter |> => printer;
        counter |> missing => printer;
        other = Counter;
        other => for_each(|line: String| println!("{line}"));
    };
}
