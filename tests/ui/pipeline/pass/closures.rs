//! Where the compiler cannot tell an event's type, the closure names it.

use genstage::prelude::*;

#[tokio::main]
async fn main() -> Result {
    pipeline! {
        // Operators are understood as they are,
        from_iter(0..10) => map(|n| n * 2) => filter(|n| n % 3 == 0) => for_each(|n| println!("{n}"));
    }
    .run()
    .await?;
    pipeline! {
        // methods need the type.
        words = from_iter(["to", "be"]);
        words => map(|word: &str| word.len()) => flat_map(|n: usize| 0..n.pow(2)) => for_each(|n| println!("{n}"));
    }
    .run()
    .await?;
    Ok(())
}
