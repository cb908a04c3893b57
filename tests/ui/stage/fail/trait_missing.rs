use genstage::prelude::*;

#[stage(producer)]
struct Counter;

#[stage(producer_consumer)]
struct Evens;

#[stage(consumer)]
struct Printer;

fn main() {}
