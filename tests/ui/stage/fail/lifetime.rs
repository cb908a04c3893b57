use genstage::prelude::*;

#[stage(producer)]
struct Lines<'a> {
    text: &'a str,
}

fn main() {}
