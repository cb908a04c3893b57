use genstage::prelude::*;
use genstage::Child;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[stage(consumer_supervisor)]
struct Borrows {
    names: Vec<String>,
}

impl ConsumerSupervisor for Borrows {
    type Event = usize;

    fn start_child(&mut self, n: usize, _: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
        Ok(async move {
            println!("{}", self.names[n]);
            Ok(())
        })
    }
}

fn main() {
    let _ = (Counter, Evens, Printer);
}
