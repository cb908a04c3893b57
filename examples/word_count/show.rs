//! Runs the pipeline, and shows it meanwhile: on this terminal, or to whoever connects.

use genstage::prelude::*;
use genstage::{Error, Pipeline};
use genstage_top::{Address, Leave, Server};
use tokio::task::{spawn, spawn_blocking};

/// Until all has been counted and the user has left the view, if it is `live`.
pub(crate) async fn run(pipeline: Pipeline, live: bool, serve: Option<Address>) -> Result {
    let server = match serve {
        Some(address) => Some(Server::bind(&address).await?),
        None => None,
    };
    let running = pipeline.start()?;
    let mut serving = None;
    if let Some(server) = server {
        eprintln!("serving the pipeline at {}", server.address()?);
        serving = Some(spawn(server.serve(running.watch())));
    }
    let watch = live.then(|| running.watch());
    let counting = spawn(running.join());
    if let Some(watch) = watch
        && spawn_blocking(|| genstage_top::run(watch)).await?? == Leave::Interrupt
    {
        return Err(Error::msg("interrupted"));
    }
    counting.await??;
    if let Some(serving) = serving {
        // Its clients get to see the end.
        serving.await?;
    }
    Ok(())
}
