use genstage::prelude::*;

#[stage(consumer)]
struct Printer {
    path: String,
}

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let path = String::new();
    let _ = pipeline! {
        printer = Printer { path }, replicas: 2;
        from_iter(0..3) => printer;
    };
}
