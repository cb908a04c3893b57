//! How many instructions the parts of the pure core, and batches that go from A to B to C, take: a regression shows in them
//! whatever else the machine does.
//!
//! What is counted is in `cases.rs`; gungraun counts it, under valgrind. It knows limits in percent of its last run, and absolute
//! ones for a whole run; what is compared here is neither, but a difference of two runs, with what is committed in
//! `baselines.json`.

mod baselines;
mod runner;

use anyhow::{Result, ensure};
use baselines::Baselines;
use clap::Parser;

/// Counts instructions, and fails if they are more than the committed baselines allow.
#[derive(Parser)]
struct Arguments {
    /// Write the baselines instead.
    #[arg(long)]
    bless: bool,
}

/// How many percent more than its baseline a count may be. Counts of one program do not vary, but code that did not change is
/// compiled a little differently where something else did.
const TOLERANCE: f64 = 3.0;

fn main() -> Result<()> {
    let Arguments { bless } = Arguments::parse();
    if !runner::has_valgrind()? {
        println!("No instructions are counted: valgrind is not installed.");
        return Ok(());
    }
    let now = Baselines { compiler: baselines::compiler()?, instructions_per_batch: runner::count()? };
    if bless {
        return now.write();
    }
    let before = Baselines::read()?;
    let beyond = compare(&now, &before);
    if now.compiler != before.compiler {
        println!(
            "Nothing is checked: the baselines are of {}, and this is {}.",
            before.compiler, now.compiler
        );
        return Ok(());
    }
    ensure!(beyond.is_empty(), "{}\nIf that is as it has to be: --bless", beyond.join("\n"));
    Ok(())
}

/// Prints a line for each case; what is to be said of those that cost too much.
fn compare(now: &Baselines, before: &Baselines) -> Vec<String> {
    println!("| instructions per batch | now | baseline | change |\n|---|---:|---:|---:|");
    let mut beyond = vec![];
    for (case, count) in &now.instructions_per_batch {
        let Some(baseline) = before.instructions_per_batch.get(case) else {
            beyond.push(format!("{case}: {count:.1} instructions per batch, and no baseline"));
            continue;
        };
        let change = (count / baseline - 1.0) * 100.0;
        println!("| {case} | {count:.1} | {baseline:.1} | {change:+.1} % |");
        if change > TOLERANCE {
            beyond.push(format!(
                "{case}: {count:.1} instructions per batch, {change:.1} % more than the baseline of {baseline:.1}; {TOLERANCE} % are tolerated"
            ));
        }
    }
    beyond
}
