use genstage::prelude::*;

#[stage(producer)]
struct Counter;

fn main() {
    let _ = pipeline! {
        counter = Counter;
        counter => for_each(|_: u64| ());
    };
}
