use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

async fn printer() -> Result<Printer> {
    Ok(Printer)
}

async fn pipelines() -> Result {
    let _ = pipeline! {
        counter = Counter;
        printer = printer().await?, restart: on_failure;
        more = { let printer = || async { printer().await }; printer().await? }, replicas: 2;

        counter => { printer, more };
    };
    Ok(())
}

fn main() {
    let _ = (Evens, pipelines());
}
