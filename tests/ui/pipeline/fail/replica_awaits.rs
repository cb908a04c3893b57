use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[tokio::main]
async fn main() {
    let _ = pipeline! {
        printer = std::future::ready(Printer).await, replicas: 2;
        from_iter(0..3) => printer;
    };
}
