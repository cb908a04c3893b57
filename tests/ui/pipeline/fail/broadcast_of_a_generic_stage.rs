use genstage::prelude::*;

#[stage(producer, dispatcher = broadcast)]
struct Once<T>(Option<T>);

impl<T: Send + 'static> Producer for Once<T> {
    type Event = T;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        self.0.take().map(|event| cx.emit(event));
        Ok(())
    }
}

struct Unique;

fn main() {
    let _ = pipeline! {
        once = Once(Some(Unique));
        once => for_each(|_: Unique| ());
    };
}
