use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        counter => for_each(|line: String| println!("{line}"));
    };
}
