//! Exchanges over NATS JetStream beside plain loops of its client: the same work on real servers, in one run, in turns.
//!
//! Every number is the median of several rounds. A ratio above 1 says that genstage is faster.

mod measure;
mod plain;
#[allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "the tests' own, who crash it, too")]
#[path = "../../connectors/genstage-nats/tests/jetstream/server.rs"]
mod server;
mod work;

use anyhow::Result;
use clap::Parser;
use measure::Row;
use server::Server;
use tokio::runtime::Runtime;

/// Runs exchanges and plain loops of the client in turns, on servers of their own, and prints the medians.
#[derive(Parser)]
struct Arguments {
    /// Take an eighth of the events and three rounds: rough.
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
    let (scale, rounds) = if quick { (8, 3) } else { (1, 15) };
    let version = version()?;
    if !json {
        let cores = std::thread::available_parallelism()?;
        println!("nats-server {version}, storage: file, {cores} cores\n\n{}", Row::HEAD);
    }
    for case in work::all(scale).into_iter().filter(|case| case.work.contains(&only)) {
        for row in case.measure(&version, rounds)? {
            match json {
                true => println!("{}", serde_json::to_string(&row)?),
                false => println!("{row}"),
            }
        }
    }
    Ok(())
}

/// Which server it is that `nats-server` is.
fn version() -> Result<String> {
    let server = Server::start();
    Runtime::new()?.block_on(async { Ok(async_nats::connect(&server.url).await?.server_info().version) })
}
