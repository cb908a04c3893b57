//! Loads JSON lines into SQLite: cleaned, grouped, and each line once, however often it is interrupted or killed.
//!
//! ```text
//! cargo run --release --example etl -- --by FIELD [--sum FIELD] INPUT DATABASE
//! ```
//!
//! A producer reads pieces of whole lines, as far as there is demand; `map_concurrent` cleans and groups the lines of several
//! pieces at a time; one consumer adds the groups to those in the database, those of many pieces in a transaction.
//!
//! # How a second run goes on where the first one stopped
//!
//! The transaction that adds the groups of a piece also notes where in the input the piece ends. So the database has both or
//! neither, whenever and however the process ends, and the next run begins there.
//!
//! One place is enough because pieces are stored in order: `map_concurrent` emits them as they came, whichever is ready first.
//! Replicas would overtake one another, and the consumer would have to note each piece. Replicas that keep the sums of their own
//! keys, behind a partition, would each be at another line, with sums that are in no database yet.
//!
//! Whoever writes the input may be in the middle of a line. What is no JSON up to the end of the input is therefore not emitted,
//! and the next run begins with it. A line that is JSON may just lack its end: it is emitted, and when more comes, that goes on
//! in the same line. The rest of it is blank then, and no row.

#[path = "etl/database.rs"]
mod database;
#[path = "etl/group.rs"]
mod group;
#[path = "etl/read.rs"]
mod read;
#[path = "etl/store.rs"]
mod store;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use clap::Parser;
use futures_util::FutureExt;
use genstage::prelude::*;
use tokio::signal::ctrl_c;

use database::Database;
use group::Fields;
use store::Store;

/// Loads JSON lines into SQLite: how many rows there are of each group, and what a field of them adds up to.
///
/// Lines that are not JSON, or lack a field, are rejected: they are counted, and noted with their number. Ctrl-C loads what
/// has been read, and stops. The same command goes on from there, after a crash, too; of standard input it needs the same
/// once more, from the beginning. A file that has grown is loaded from where it ended. A last line without a line end is loaded
/// if it is JSON, and otherwise left for the next run, which is said; that of standard input, too.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    load: Option<Load>,
    /// Print the pipeline as a Mermaid flowchart, and do nothing else
    #[arg(long, exclusive = true)]
    graph: bool,
}

/// What is to be loaded. Not there if only the picture is wanted.
#[derive(clap::Args, Clone, Default)]
struct Load {
    /// The field whose values make the groups; one within another with a slash: `user/name`
    #[arg(long, value_name = "FIELD")]
    by: String,
    /// The field to add up, in floating point; without it, rows are counted only
    #[arg(long, value_name = "FIELD")]
    sum: Option<String>,
    /// A file of JSON lines, or `-` for standard input
    input: String,
    /// The SQLite database, which is made if it is not there
    database: PathBuf,
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
    let Args { load, graph } = Args::parse();
    let load = load.unwrap_or_else(|| Load { database: ":memory:".into(), ..Load::default() });
    let database = Database::open(&load)?;
    let before = database.position()?;
    if before.lines > 0 {
        eprintln!("{} lines of {} have been loaded before", before.lines, load.input);
    }
    let fields = Arc::new(Fields::new(&load));
    let cores = available_parallelism().map_or(1, Into::into);

    // No `restart`: it would go on without the lines that the failed stage was at. The next run goes on with them.
    let app = pipeline! {
        read  = from_stream(read::pieces(load.input.clone(), before));
        group = map_concurrent(cores, move |piece| group::grouped(fields.clone(), piece));
        store = Store { database };

        read => group [max_demand: 4] => store [max_demand: 16];
    };
    if graph {
        print!("{}", app.graph().to_mermaid());
        return Ok(());
    }
    let interrupt = ctrl_c().inspect(|_| eprintln!("interrupted: the same command goes on from here"));
    eprintln!("{}", app.run_until(interrupt).await?);
    report(&load, before.lines)
}

/// Prints what has been done, and what the database holds by now.
fn report(load: &Load, before: u64) -> Result {
    let database = Database::open(load)?;
    let (lines, totals) = (database.position()?.lines, database.totals()?);
    eprintln!("{} lines loaded now, {before} before", lines - before);
    eprintln!("{} rows in {} groups, {} lines rejected", totals.rows, totals.groups, totals.rejected);
    for (line, reason) in database.first_rejected(10)? {
        eprintln!("rejected line {line}: {reason}");
    }
    let mut out = io::stdout().lock();
    for (key, group) in database.largest_groups(10)? {
        writeln!(out, "{}\t{}\t{key}", group.rows, group.sum)?;
    }
    Ok(())
}
