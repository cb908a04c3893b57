//! GenStage's example of that name: a consumer that asks by hand, so that it gets so many events from each of its producers
//! in each interval, and no more.
//!
//! ```text
//! cargo run --example rate_limiter -- [--events N] [--interval MILLISECONDS] [PATH…]
//! ```

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use genstage::prelude::*;
use genstage::{Cancelled, Demand, Error, Subscription};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, stdin};

/// Prints the lines of the inputs, so many of each in each interval, with the number of the interval in front.
#[derive(Parser)]
struct Arguments {
    /// How many lines of each input there are in an interval, at most
    #[arg(long, default_value_t = 10)]
    events: usize,
    /// How long an interval is
    #[arg(long, default_value_t = 2000, value_name = "MILLISECONDS")]
    interval: u64,
    /// Print the pipeline as a Mermaid flowchart, and do nothing else
    #[arg(long)]
    graph: bool,
    /// Files, and `-` for standard input
    #[arg(default_value = "-", value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Prints `events` of each producer in each interval.
#[stage(consumer)]
struct RateLimiter {
    events: usize,
    interval: Duration,
    producers: Vec<Subscription>,
    /// Of the interval that it is.
    number: u64,
}

#[derive(Clone)]
struct NextInterval;

impl Consumer for RateLimiter {
    type Event = Result<String>;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.interval(self.interval, NextInterval);
        Ok(())
    }

    async fn handle_subscribe(&mut self, producer: &Subscription, cx: &mut Context<Self>) -> Result<Demand> {
        cx.ask(producer, self.events);
        self.producers.push(producer.clone());
        Ok(Demand::Manual)
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        self.producers.retain(|producer| !cancelled.is(producer));
        Ok(())
    }

    async fn handle_events(&mut self, events: &mut Batch<Self::Event>, cx: &mut Context<Self>) -> Result {
        for line in events.drain() {
            match writeln!(io::stdout(), "{} {}", self.number, line?) {
                // Whoever reads has read enough: `| head`.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => cx.finish(),
                result => result?,
            }
        }
        Ok(())
    }
}

impl Cast<NextInterval> for RateLimiter {
    async fn handle_cast(&mut self, _: NextInterval, cx: &mut Context<Self>) -> Result {
        self.number += 1;
        for producer in &self.producers {
            // What a producer did not have in the last interval is still asked for.
            let outstanding = producer.asked() - producer.handled();
            cx.ask(producer, self.events - outstanding as usize);
        }
        Ok(())
    }
}

/// The lines of a text, read as far as they are asked for.
fn lines(path: PathBuf) -> impl Stream<Item = Result<String>> {
    let context = format!("cannot read {}", path.display());
    let text = stream::once(async move { open(&path).await });
    text.map_ok(|text| {
        stream::try_unfold(BufReader::new(text).lines(), async |mut lines| {
            Ok(lines.next_line().await?.map(|line| (line, lines)))
        })
    })
    .try_flatten()
    .map_err(move |error: io::Error| Error::new(error).context(context.clone()))
}

async fn open(path: &Path) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
    match path.as_os_str() == "-" {
        true => Ok(Box::new(stdin())),
        false => Ok(Box::new(File::open(path).await?)),
    }
}

#[tokio::main]
async fn main() {
    let status = match run().await {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("Error: {error:#}");
            1
        }
    };
    // At once: the runtime would wait for what is still being read from standard input.
    std::process::exit(status);
}

async fn run() -> Result {
    let Arguments { events, interval, graph, paths } = Arguments::parse();
    let interval = Duration::from_millis(interval);
    let mut texts = paths.into_iter().map(lines);
    let app = pipeline! {
        // Each replica takes one.
        text    = from_stream(stream::iter(texts.next()).flatten()), replicas: texts.len();
        limiter = RateLimiter { events, interval, producers: vec![], number: 1 };

        // The limiter asks by hand: this says it to those who look at the graph, or watch the pipeline.
        text => limiter [max_demand: events];
    };
    if graph {
        print!("{}", app.graph().to_mermaid());
        return Ok(());
    }
    eprintln!("{}", app.run().await?);
    Ok(())
}
