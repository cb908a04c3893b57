//! genstage beside what its users would write or pick instead: the same work, in one run, in turns.
//!
//! Every number is the median of several rounds. A ratio above 1 says that genstage is faster.

mod measure;
mod rivals;
mod work;

use anyhow::Result;
use clap::Parser;
use measure::{Flavor, Row};

/// Runs genstage and its rivals on identical work, in turns, and prints the medians.
#[derive(Parser)]
struct Arguments {
    /// Take an eighth of the events and three rounds: under half a minute, and rough.
    #[arg(long)]
    quick: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Only the works whose names contain this.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> Result<()> {
    let Arguments { quick, json, only } = Arguments::parse();
    let (scale, rounds) = if quick { (8, 3) } else { (1, 7) };
    if !json {
        println!("{}", Row::HEAD);
    }
    for case in work::all(scale).into_iter().filter(|case| case.work.contains(&only)) {
        for flavor in Flavor::ALL {
            for row in case.measure(flavor, rounds)? {
                match json {
                    true => println!("{}", serde_json::to_string(&row)?),
                    false => println!("{row}"),
                }
            }
        }
    }
    Ok(())
}
