use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        from_iter(["to", "be"]) => map(|word| word.len()) => for_each(|n| println!("{n}"));
    };
}
