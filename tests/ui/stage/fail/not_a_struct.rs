use genstage::prelude::*;

#[stage(producer)]
fn counter() {}

#[stage(producer)]
union Either {
    a: u8,
    b: u8,
}

fn main() {}
