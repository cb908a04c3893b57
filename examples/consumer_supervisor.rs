//! GenStage's example of that name: every number is printed by a task of its own, fifty at a time.
//!
//! ```text
//! cargo run --example consumer_supervisor
//! ```

use std::time::Duration;

use clap::Parser;
use genstage::Child;
use genstage::prelude::*;

/// Prints numbers, each from a task of its own that takes a while. Ctrl-C lets the tasks that run finish, and starts no more.
#[derive(Parser)]
struct Arguments {
    /// How many numbers there are; without end if it is not stated.
    #[arg(long)]
    numbers: Option<u64>,

    /// How many milliseconds a task takes.
    #[arg(long, default_value_t = 1000)]
    takes: u64,

    /// Print the pipeline as a Mermaid flowchart, and do nothing else.
    #[arg(long)]
    graph: bool,
}

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

/// Starts a task for every number. It asks for more when no more than 40 of the 50 are left.
#[stage(consumer_supervisor, max_demand = 50, min_demand = 40)]
struct Printers {
    takes: Duration,
}

impl ConsumerSupervisor for Printers {
    type Event = u64;

    fn start_child(&mut self, n: u64, _: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
        let takes = self.takes;
        Ok(async move {
            tokio::time::sleep(takes).await;
            println!("{n}");
            Ok(())
        })
    }
}

#[tokio::main]
async fn main() -> Result {
    let Arguments { numbers, takes, graph } = Arguments::parse();
    let app = pipeline! {
        counter  = Counter { next: 0, end: numbers.unwrap_or(u64::MAX) };
        printers = Printers { takes: Duration::from_millis(takes) };

        counter => printers;
    };
    if graph {
        print!("{}", app.graph().to_mermaid());
        return Ok(());
    }
    eprintln!("{}", app.run_until(tokio::signal::ctrl_c()).await?);
    Ok(())
}
