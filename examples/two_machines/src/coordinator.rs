//! The coordinator: starts what is to be started, reads, merges, and prints.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use futures_util::{Stream, StreamExt, future, stream};
use genstage::prelude::*;
use genstage::remote::Delivered;
use genstage::{Error, Pipeline};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::ctrl_c;
use tokio::sync::oneshot;

use crate::count::Counted;
use crate::helper::Helper;
use crate::merge::{Merge, Reports, Totals};
use crate::print::print;
use crate::read::{self, Part};
use crate::run::{Numbered, Run};
use crate::{Order, broker, worker};

/// Counts, and leaves nothing behind.
pub(crate) async fn run(Order { top, workers, server, paths, .. }: Order) -> Result {
    let started = Instant::now();
    let (mut broker, server) = reach(server).await?;
    let run = Run::begin(&server).await?;
    eprintln!("more workers: two_machines worker --server {server} {}", run.name);
    let worker = ["worker", "--while-stdin-is-open", "--server", &server, &run.name];
    let mut workers = (0..workers).map(|_| Helper::start(&worker)).collect::<Result<Vec<_>>>()?;

    let totals = tokio::select! {
        totals = count(&run, paths) => totals,
        () = ended(&mut workers) => Err(Error::msg("the workers have ended")),
        () = ended(broker.as_mut_slice()) => Err(Error::msg("the broker has ended")),
        _ = ctrl_c() => Err(Error::msg("interrupted")),
    };
    future::join_all(workers.into_iter().map(Helper::end)).await;
    let removed = run.end().await;
    future::join_all(broker.map(Helper::end)).await;
    print(&totals?, top, started.elapsed())?;
    removed
}

/// Prints what the coordinator and a worker are made of. Exchanges are part of it, so there has to be a broker.
pub(crate) async fn draw(Order { server, .. }: Order) -> Result {
    let (broker, server) = reach(server).await?;
    let run = Run::begin(&server).await?;
    let (sender, _) = oneshot::channel();
    let coordinator = pipeline(&run, vec![], ProgressBar::hidden(), sender);
    print!("{}{}", coordinator.graph().to_mermaid(), worker::pipeline(&run).graph().to_mermaid());
    let removed = run.end().await;
    future::join_all(broker.map(Helper::end)).await;
    removed
}

/// Where the broker is, and the one that was started if there was none.
async fn reach(server: Option<String>) -> Result<(Option<Helper>, String)> {
    match server {
        Some(server) => Ok((None, server)),
        None => broker::start().await.map(|(broker, server)| (Some(broker), server)),
    }
}

/// Waits until all of them have ended of themselves, if there are any.
async fn ended(helpers: &mut [Helper]) {
    match helpers.is_empty() {
        true => future::pending().await,
        false => drop(future::join_all(helpers.iter_mut().map(Helper::ended)).await),
    }
}

async fn count(run: &Run, paths: Vec<PathBuf>) -> Result<Totals> {
    let style = ProgressStyle::with_template("{spinner} {bytes} in {elapsed}, {bytes_per_sec}")?;
    let progress = ProgressBar::new_spinner().with_style(style);
    let (sender, totals) = oneshot::channel();
    let running = pipeline(run, paths, progress.clone(), sender).start()?;
    let totals = totals.await;
    progress.finish_and_clear();
    match totals {
        // What is still open with the broker is not waited for: all has come.
        Ok(totals) => Ok(totals),
        Err(none) => Err(running.join().await.err().map_or(none.into(), Error::new)),
    }
}

fn pipeline(
    run: &Run,
    paths: Vec<PathBuf>,
    progress: ProgressBar,
    totals: oneshot::Sender<Totals>,
) -> Pipeline {
    let (pipeline, _) = pipeline! {
        read   = from_stream(parts(paths));
        parts  = run.parts.sink().id(|part| part.number);

        counts = run.counts.source("coordinator");
        once   = Once::default();
        merge  = Merge::new(false, Reports::AtOnce, progress, totals);

        read => parts [max_demand: 4];
        counts => once [max_demand: 16];
        once => merge [max_demand: 16];
    }
    .into_parts();
    pipeline
}

/// The parts of all texts, and behind them that there are no more.
fn parts(paths: Vec<PathBuf>) -> impl Stream<Item = Numbered<String>> {
    let sources = match paths.is_empty() {
        true => read::project_files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))),
        false => read::all_files(paths),
    };
    let parts = read::parts(sources).map(Some).chain(stream::once(future::ready(None)));
    parts.enumerate().map(|(number, part)| Numbered { number, part })
}

/// Lets each part through once, however often it comes, and ends when all have come.
#[stage(producer_consumer)]
#[derive(Default)]
struct Once {
    seen: HashSet<usize>,
    /// How many there are, once that is known.
    all: Option<usize>,
}

impl ProducerConsumer for Once {
    type Input = Delivered<Numbered<Counted>>;
    type Output = Part<Counted>;

    async fn handle_events(&mut self, events: &mut Batch<Self::Input>, cx: &mut Context<Self>) -> Result {
        for event in events.drain() {
            let (Numbered { number, part }, receipt) = event.split();
            match (self.seen.insert(number), part) {
                (true, Some(part)) => cx.emit(part),
                (true, None) => self.all = Some(number + 1),
                (false, _) => {}
            }
            // If the coordinator ends now, so does the run.
            receipt.done();
        }
        if self.all == Some(self.seen.len()) {
            cx.finish();
        }
        Ok(())
    }
}
