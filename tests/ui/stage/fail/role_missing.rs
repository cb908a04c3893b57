use genstage::prelude::*;

#[stage]
struct Counter;

#[stage()]
struct Other;

#[stage(buffer_size = 5)]
struct Third;

fn main() {}
