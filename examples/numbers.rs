//! The first lesson of GenStage: numbers, the even ones of them, and two printers.
//!
//! ```text
//! cargo run --example numbers             # --graph prints the pipeline as a Mermaid flowchart
//! ```

use genstage::prelude::*;

/// Counts upwards, up to below `end`.
#[stage(producer)]
struct Counter {
    next: u64,
    end: u64,
}

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let end = self.end.min(self.next + demand as u64);
        cx.emit_all(self.next..end);
        self.next = end;
        if self.next == self.end {
            cx.finish();
        }
        Ok(())
    }
}

/// Keeps the even numbers.
#[stage(producer_consumer)]
struct Evens;

impl ProducerConsumer for Evens {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().filter(|n| n % 2 == 0));
        Ok(())
    }
}

/// Prints its own name and the number.
#[stage(consumer)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        for n in events.drain() {
            println!("{} {n}", cx.name());
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result {
    let app = pipeline! {
        counter = Counter { next: 0, end: 1000 };
        evens   = Evens;
        printer = Printer, replicas: 2;

        counter => evens => printer [max_demand: 10];
    };
    if std::env::args().any(|argument| argument == "--graph") {
        print!("{}", app.graph().to_mermaid());
        return Ok(());
    }
    eprintln!("{}", app.run().await?);
    Ok(())
}
