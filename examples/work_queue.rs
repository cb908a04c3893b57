//! A queue of commands in SQLite: each is done once, however often a worker crashes or the program is killed.
//!
//! ```text
//! cargo run --example work_queue -- add queue.db 'echo hello' 'sleep 1; date' 'exit 1'
//! cargo run --example work_queue -- run queue.db
//! ```
//!
//! A producer claims as many jobs as there is demand for, replicas of a producer-consumer run one at a time each, and one
//! consumer records what came of them.
//!
//! # What is done once, and what at least once
//!
//! A claim is a lease: until it ends, nobody else claims the job. A worker that has crashed, or was killed, records nothing, so
//! the lease ends and the job is claimed again. Nobody has to find out who is still alive, and any number of programs can work
//! on one queue. In exchange the jobs of the dead wait until then, and a job that takes longer than its lease is cut off.
//!
//! A job's result and that it is done are one transaction, and only the last claim of a job may record anything. So the
//! database has exactly one result of each job that is done. What a command does elsewhere is outside of that transaction: if
//! its worker dies in between, that has been done and will be done again. It is done **at least** once. A command that sends or
//! pays something has to find out whether it has been there before, say by the number of its job, `$JOB`.

#[path = "work_queue/claim.rs"]
mod claim;
#[path = "work_queue/queue.rs"]
mod queue;
#[path = "work_queue/record.rs"]
mod record;
#[path = "work_queue/work.rs"]
mod work;

use std::num::ParseFloatError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use genstage::Pipeline;
use genstage::prelude::*;
use tokio::signal::ctrl_c;

use claim::Claim;
use queue::Queue;
use record::Record;
use work::{Crashes, Work};

/// A queue of shell commands in SQLite, of which each is done once: those that fail are tried again, and those whose worker
/// has crashed, or was killed, too.
#[derive(Parser)]
#[command(arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    task: Option<Task>,
    /// Print the pipeline as a Mermaid flowchart, and do nothing else
    #[arg(long, exclusive = true)]
    graph: bool,
}

#[derive(Subcommand)]
enum Task {
    /// Add jobs to a queue
    Add {
        /// The SQLite database, which is made if it is not there
        database: PathBuf,
        /// Commands, each of them one argument; `$JOB` in them is the number of the job
        #[arg(required = true)]
        commands: Vec<String>,
    },
    /// Do the jobs of a queue until each is done or dead, or until Ctrl-C; those that are running are finished then
    Run {
        /// The SQLite database
        database: PathBuf,
        #[command(flatten)]
        terms: Terms,
        /// How many jobs are done at the same time
        #[arg(long, default_value_t = 4, value_name = "N")]
        workers: usize,
        /// Have a worker crash at every Nth job, after it and before its result is recorded: to see what comes of that
        #[arg(long, value_name = "N")]
        crash_every: Option<u64>,
    },
}

/// On which terms jobs are given out.
#[derive(clap::Args, Clone, Copy, Default)]
struct Terms {
    /// When a job whose worker has crashed is claimed again; a job may take nine tenths of that
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    lease: Duration,
    /// How often a job is tried before it is dead
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: u32,
    /// How long to wait before a job that has failed is tried again; twice as long each further time
    #[arg(long, default_value = "1", value_name = "SECONDS", value_parser = seconds)]
    backoff: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|error: ParseFloatError| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[tokio::main]
async fn main() {
    if let Err(error) = run(Args::parse()).await {
        eprintln!("Error: {error:#}");
        std::process::exit(1);
    }
}

async fn run(args: Args) -> Result {
    match args.task {
        Some(Task::Add { database, commands }) => {
            let jobs = Queue::open(&database)?.add(&commands)?;
            println!("added {jobs} jobs to {}", database.display());
        }
        Some(Task::Run { database, terms, workers, crash_every }) => {
            let pipeline = pipeline(&database, terms, workers, crash_every)?;
            eprintln!("{}", pipeline.run_until(ctrl_c()).await?);
            eprintln!("{}", Queue::open(&database)?.totals()?);
        }
        None => {
            let pipeline = pipeline(Path::new(":memory:"), Terms::default(), 4, None)?;
            print!("{}", pipeline.graph().to_mermaid());
        }
    }
    Ok(())
}

fn pipeline(database: &Path, terms: Terms, workers: usize, crash_every: Option<u64>) -> Result<Pipeline> {
    let crashes = Arc::new(Crashes::new(crash_every));
    let (pipeline, _) = pipeline! {
        // A job crashes its worker as often as it has attempts, so there is an end to crashes without a limit here.
        max_restarts: usize::MAX;

        claim  = Claim::new(Queue::open(database)?, terms);
        work   = Work::new(terms.lease, crashes.clone()), replicas: workers, restart: on_failure;
        record = Record::new(Queue::open(database)?, terms);

        // A worker asks for one job when it has done the one before: none is claimed that would wait for its turn.
        claim => work [max_demand: 1] => record;
    }
    .into_parts();
    Ok(pipeline)
}
