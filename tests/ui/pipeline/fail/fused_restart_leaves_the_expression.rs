use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

async fn stage() -> Result<Evens> {
    Ok(Evens)
}

#[tokio::main]
async fn main() -> Result {
    let _ = pipeline! {
        evens = Evens, restart: on_failure;
        other = stage().await?;
        printer = Printer;
        from_iter(0..3u64) => evens |> other => printer;
    };
    Ok(())
}
