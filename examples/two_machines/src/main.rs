//! The word count, split over processes on any number of machines, and a broker between them.
//!
//! ```text
//! cargo run --release -p two_machines -- [--top N|all] [--workers N] [--server URL] [--graph] [PATH…]
//! two_machines worker --server URL RUN       # on as many other machines as you like
//! ```
//!
//! The stages are those of `word_count`. There, edges connect them: `read => count => merge`. Here an exchange stands in the
//! place of each edge, and each side is a pipeline of its own, in a process of its own: the coordinator reads and merges
//! (`read => parts`, `counts => once => merge`), workers count (`parts => count => counts`). Demand crosses the exchanges as
//! it does edges: a worker that is twice as fast asks twice as often, and nothing is read that nobody counts.
//!
//! # Why the counts are exact
//!
//! Exchanges deliver at least once. A part is not settled before its counts are stored, so that what a worker had that was
//! killed comes again, to another one. What comes twice is known by its number: to the exchange for a while, and to the
//! coordinator for good.

mod broker;
mod coordinator;
mod helper;
mod run;
mod worker;

#[path = "../../word_count/count.rs"]
mod count;
#[path = "../../word_count/merge.rs"]
#[allow(dead_code, reason = "here there is nothing else on the screen")]
mod merge;
#[path = "../../word_count/pieces.rs"]
mod pieces;
#[path = "../../word_count/print.rs"]
mod print;
#[path = "../../word_count/read.rs"]
mod read;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use print::Top;

/// Counts the words of files, folders and standard input, as `word_count` does, in several processes.
///
/// One command starts all of it on one machine: a broker, workers, and the coordinator that reads, merges and prints. With `--server`, of a
/// broker that every machine reaches, more workers may come, from wherever, with the command that the coordinator prints. They may go,
/// too, and be killed: the counts are exact. A word that is longer than a message of the broker may be, a megabyte as a rule, ends the run
/// with an error.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    order: Order,
}

/// What is to be counted, and by whom.
#[derive(clap::Args)]
struct Order {
    /// How many words to print, or `all`
    #[arg(long, default_value = "20", value_name = "N|all")]
    top: Top,
    /// How many workers to start here
    #[arg(long, default_value = "1", value_name = "N")]
    workers: usize,
    /// NATS servers with JetStream, such as nats://a:4222,nats://b:4222; none: one is started for this run, from the program that the
    /// environment variable NATS_SERVER names, or `nats-server`
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Print the pipelines of the coordinator and of a worker as Mermaid flowcharts; exchanges are part of them, so there has to be a broker
    #[arg(long)]
    graph: bool,
    /// Files, folders (every file below them, links are not followed) and `-` for standard input; none: the text files of this project
    paths: Vec<PathBuf>,
}

#[derive(Subcommand)]
enum Task {
    /// Count for a run, until it is over or Ctrl-C; what is being counted then is finished
    Worker {
        /// The run's NATS servers
        #[arg(long, value_name = "URL")]
        server: String,
        /// End at once when standard input is closed
        #[arg(long)]
        while_stdin_is_open: bool,
        /// The run's name, which its coordinator prints
        run: String,
    },
    /// Start a broker of its own, print where it is, and end it when standard input is closed
    #[command(hide = true)]
    Broker,
}

#[tokio::main]
async fn main() {
    let Args { task, order } = Args::parse();
    let result = match task {
        None if order.graph => coordinator::draw(order).await,
        None => coordinator::run(order).await,
        Some(Task::Worker { server, while_stdin_is_open, run }) => {
            if while_stdin_is_open {
                helper::end_with_stdin();
            }
            worker::run(&server, &run).await
        }
        Some(Task::Broker) => broker::serve().await,
    };
    if let Err(error) = &result {
        eprintln!("Error: {error:#}");
    }
    // At once: the runtime would wait for what is still being read from standard input.
    std::process::exit(i32::from(result.is_err()));
}
