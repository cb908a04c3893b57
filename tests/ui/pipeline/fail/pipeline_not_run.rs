#![deny(unused_must_use)]

use genstage::prelude::*;

fn main() {
    pipeline! { from_iter(0..3) => for_each(|_| ()); };
}
