use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[derive(Debug)]
enum Size {
    Small,
    Medium,
    Large,
}

fn size(n: &u64) -> Size {
    match n {
        0..10 => Size::Small,
        10..100 => Size::Medium,
        _ => Size::Large,
    }
}

#[stage(producer, dispatcher = partition([Size::Small, Size::Medium, Size::Large], by = size))]
struct Sizes;

impl Producer for Sizes {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let _ = (Counter, Evens);
    let _ = pipeline! {
        sizes = Sizes;
        small = Printer;
        large = Printer;

        sizes => { small [partition: Size::Small], large [partition: Size::Large] };
    };
}
