use genstage::prelude::*;

#[stage(consumer)]
struct Keep<T>(T);

impl<T: Copy + Send + 'static> Consumer for Keep<T> {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = pipeline! {
        keep = Keep(String::new());
        from_iter(0..3u64) => keep;
    };
}
