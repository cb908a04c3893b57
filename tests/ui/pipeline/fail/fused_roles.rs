use genstage::prelude::*;
use genstage::{Child, ConsumerSupervisor};
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[stage(consumer_supervisor)]
struct Children;

impl ConsumerSupervisor for Children {
    type Event = u64;

    fn start_child(&mut self, _: u64, _: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
        Ok(async { Ok(()) })
    }
}

#[stage(producer, dispatcher = partition(2))]
struct Split;

impl Producer for Split {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    // A producer in the middle, and a consumer there.
    let _ = pipeline! {
        evens = Evens;
        counter = Counter;
        printer = Printer;
        from_iter(0..3u64) => evens |> counter => for_each(|n| println!("{n}"));
        from_iter(0..3u64) => printer |> map(|n| n) => for_each(|n: u64| println!("{n}"));
    };
    let _ = pipeline! {
        children = Children;
        from_iter(0..3u64) => map(|n| n) |> children;
    };
    let _ = pipeline! {
        split = Split;
        split |> map(|n| n) => for_each(|n| println!("{n}"));
    };
}
