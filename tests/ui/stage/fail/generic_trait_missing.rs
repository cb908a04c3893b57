use genstage::prelude::*;

#[stage(consumer)]
struct Collect<T> {
    seen: Vec<T>,
}

fn main() {
    let _ = pipeline! { from_iter(0..3) => collect; collect = Collect { seen: vec![0] }; };
}
