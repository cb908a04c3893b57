use genstage::prelude::*;
use genstage::Reason;

#[stage(consumer)]
struct File {
    lines: Vec<u64>,
}

impl Consumer for File {
    type Event = u64;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        let _: &str = cx.name();
        self.lines.try_reserve(10)?;
        Ok(())
    }

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        self.lines.append(&mut events.take());
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        println!("{reason}: {:?}", self.lines);
    }
}

fn main() {}
