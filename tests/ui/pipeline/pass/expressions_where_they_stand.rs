//! A node's expression is evaluated where the macro stands: it may use `?`, `.await` and locals.

use genstage::prelude::*;

#[stage(consumer)]
struct Printer {
    prefix: String,
}

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

async fn prefix() -> Result<String> {
    Ok("n = ".to_owned())
}

#[tokio::main]
async fn main() -> Result {
    let (wiring, handles, counter) = (1, 2, "a local is not a stage");
    let numbers = vec![wiring, handles];
    let app = pipeline! {
        counter = from_iter(numbers);
        printer = Printer { prefix: prefix().await? + counter };
        counter => printer;
    };
    app.run().await?;
    println!("{wiring} {handles} {counter}");
    Ok(())
}
