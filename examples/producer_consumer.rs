//! GenStage's example of that name: A counts, B makes three numbers of each, and C prints them, a batch a second. Each says
//! what it does, so that one sees the demand go up and the numbers come down: A counts no further than C has asked for.
//!
//! ```text
//! cargo run --example producer_consumer
//! ```

use std::io::{self, ErrorKind, Write as _};
use std::time::Duration;

use clap::Parser;
use genstage::prelude::*;

/// Counts, makes three numbers of each, and prints them batch by batch. Ctrl-C ends it when all that was counted is printed.
#[derive(Parser)]
struct Arguments {
    /// How many numbers are counted; without end if it is not stated
    #[arg(long)]
    numbers: Option<u64>,
    /// How many milliseconds C takes for a batch
    #[arg(long, default_value_t = 1000)]
    takes: u64,
    /// Print the pipeline as a Mermaid flowchart, and do nothing else
    #[arg(long)]
    graph: bool,
}

/// Counts upwards, up to below `end`.
#[stage(producer)]
struct A {
    next: u64,
    end: u64,
}

impl Producer for A {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let numbers = self.next..self.end.min(self.next + demand as u64);
        // Where this cannot be printed, C cannot print either, which ends it all.
        let _ = writeln!(io::stdout(), "A is asked for {demand}: counts {numbers:?}");
        self.next = numbers.end;
        cx.emit_all(numbers);
        if self.next == self.end {
            cx.finish();
        }
        Ok(())
    }
}

/// Makes `n`, `n + 1` and `n + 2` of `n`. C does not want as many at once: what it has not asked for waits in this stage's
/// buffer, and nothing more is taken from A until that is empty.
#[stage(producer_consumer)]
struct B;

impl ProducerConsumer for B {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        let _ = writeln!(io::stdout(), "B is given {}: makes {}", events.len(), 3 * events.len());
        cx.emit_all(events.drain().flat_map(|n| n..n + 3));
        Ok(())
    }
}

/// Takes its time, and prints.
#[stage(consumer)]
struct C {
    takes: Duration,
}

impl Consumer for C {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        tokio::time::sleep(self.takes).await;
        match writeln!(io::stdout(), "C prints {:?}", &events[..]) {
            // Whoever reads has read enough: `| head`.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => cx.finish(),
            result => result?,
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result {
    let Arguments { numbers, takes, graph } = Arguments::parse();
    let app = pipeline! {
        a = A { next: 0, end: numbers.unwrap_or(u64::MAX) };
        b = B;
        c = C { takes: Duration::from_millis(takes) };

        a => b [max_demand: 10] => c [max_demand: 10];
    };
    if graph {
        print!("{}", app.graph().to_mermaid());
        return Ok(());
    }
    eprintln!("{}", app.run_until(tokio::signal::ctrl_c()).await?);
    Ok(())
}
