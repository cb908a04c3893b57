//! Counts the words of files, folders and standard input.
//!
//! ```text
//! cargo run --release --example word_count -- [--top N|all] [--strict] [--repeat N] [--live] [--serve ADDRESS] [--graph] [PATH…]
//! ```
//!
//! A producer reads text piece by piece, as far as there is demand; replicas of a producer-consumer count the words of
//! each piece; one consumer merges the counts. However large the input, only a few pieces are in memory at a time.

#[path = "word_count/count.rs"]
mod count;
#[path = "word_count/merge.rs"]
mod merge;
#[path = "word_count/pieces.rs"]
mod pieces;
#[path = "word_count/print.rs"]
mod print;
#[path = "word_count/read.rs"]
mod read;
#[path = "word_count/show.rs"]
mod show;

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Instant;

use clap::Parser;
use genstage::prelude::*;
use genstage_top::Address;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::oneshot;

use count::Count;
use merge::{Merge, Reports};
use print::{Top, print};
use read::Source;

/// Counts the words of files, folders and standard input.
///
/// A word is a run of alphanumeric characters, lower-cased. Standard output gets one line a word, the count, a tab and
/// the word: the most frequent first, those of one count in alphabetical order. Standard error gets the totals.
#[derive(Parser)]
struct Args {
    /// How many words to print, or `all`
    #[arg(long, default_value = "20", value_name = "N|all")]
    top: Top,
    /// End with an error at the first file that is missing, unreadable or not UTF-8, instead of skipping it
    #[arg(long)]
    strict: bool,
    /// Read everything that often
    #[arg(long, default_value = "1", value_name = "N")]
    repeat: usize,
    /// Show what the pipeline does on this terminal, until `q` is pressed; what has been counted is printed then
    #[arg(long)]
    live: bool,
    /// Show it to every `genstage-top ADDRESS` while it runs: 127.0.0.1:PORT, or unix:PATH or a path with a `/`
    #[arg(long, value_name = "ADDRESS")]
    serve: Option<Address>,
    /// Print the pipeline as a Mermaid flowchart, and do nothing else
    #[arg(long)]
    graph: bool,
    /// Files, folders (every file below them, links are not followed) and `-` for standard input; none: the text files of this project
    paths: Vec<PathBuf>,
}

#[tokio::main]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("Error: {error:?}");
        // At once: the runtime would wait for what is still being read from standard input.
        std::process::exit(1);
    }
}

async fn run() -> Result {
    let Args { top, strict, repeat, live, serve, graph, paths } = Args::parse();
    let started = Instant::now();
    let progress = if live { ProgressBar::hidden() } else { ProgressBar::new_spinner() }
        .with_style(ProgressStyle::with_template("{spinner} {bytes} in {elapsed}, {bytes_per_sec}")?);
    let reports = if live { Reports::Later(Vec::new()) } else { Reports::AtOnce };
    let (sender, totals) = oneshot::channel();

    let app = pipeline! {
        read  = from_stream(read::parts(sources(paths, repeat)));
        count = Count::default(), replicas: available_parallelism().map_or(1, Into::into);
        merge = Merge::new(strict, reports, progress.clone(), sender);

        read => count [max_demand: 4] => merge [max_demand: 16];
    };
    if graph {
        print!("{}", app.graph().to_mermaid());
        return Ok(());
    }
    // Without handles a stage that nobody can reach any more is free to end.
    let (pipeline, _) = app.into_parts();
    show::run(pipeline, live, serve).await?;
    progress.finish_and_clear();

    print(&totals.await?, top, started.elapsed())?;
    Ok(())
}

/// What is to be read.
fn sources(paths: Vec<PathBuf>, repeat: usize) -> Box<dyn Iterator<Item = Source> + Send> {
    Box::new((0..repeat).flat_map(move |_| match paths.is_empty() {
        true => read::project_files(project()),
        false => read::all_files(paths.clone()),
    }))
}

/// The folder of this project.
fn project() -> &'static Path {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR"));
    examples.parent().unwrap_or(examples)
}
