//! Runs a piece of work in turns with its rivals, each time on a new server.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::server::Server;

/// A piece of work, done by genstage and by others.
pub(crate) struct Case {
    pub(crate) work: &'static str,
    pub(crate) events: u64,
    pub(crate) ours: Run,
    pub(crate) rivals: Vec<(&'static str, Run)>,
}

/// Does so many events' work on the server of that address; how long it took, without what was prepared.
pub(crate) type Run = Box<dyn Fn(String, u64) -> BoxFuture<'static, Result<Duration>>>;

/// Makes a [`Run`] of an async function.
pub(crate) fn run<F: Future<Output = Result<Duration>> + Send + 'static>(
    work: impl Fn(String, u64) -> F + 'static,
) -> Run {
    Box::new(move |url, events| work(url, events).boxed())
}

/// What came out, beside one rival.
#[derive(Serialize)]
pub(crate) struct Row<'a> {
    server: &'a str,
    work: &'static str,
    rival: &'static str,
    ours_events_per_s: f64,
    rival_events_per_s: f64,
    ratio: f64,
}

impl Row<'_> {
    pub(crate) const HEAD: &'static str = "| work | rival | genstage events/s | rival events/s | ratio |\n\
                                   |---|---|---:|---:|---:|";
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, rival, ours_events_per_s, rival_events_per_s, ratio, .. } = self;
        write!(f, "| {work} | {rival} | {ours_events_per_s:.0} | {rival_events_per_s:.0} | {ratio:.2} |")
    }
}

impl Case {
    /// Runs everybody in turns, so that what disturbs the machine disturbs all.
    pub(crate) fn measure<'a>(&self, server: &'a str, rounds: usize) -> Result<Vec<Row<'a>>> {
        let mut times = vec![vec![]; 1 + self.rivals.len()];
        for _ in 0..rounds {
            for (run, times) in self.all().zip(&mut times) {
                times.push(self.once(run)?);
            }
        }
        let mut rates = times.into_iter().map(|times| self.events as f64 / median(times).as_secs_f64());
        let ours = rates.next().unwrap_or_default();
        let rows = self.rivals.iter().zip(rates).map(|((rival, _), theirs)| Row {
            server,
            work: self.work,
            rival,
            ours_events_per_s: ours,
            rival_events_per_s: theirs,
            ratio: ours / theirs,
        });
        Ok(rows.collect())
    }

    /// A server and a runtime for one run, so that nothing is left of those before.
    fn once(&self, run: &Run) -> Result<Duration> {
        let server = Server::start();
        let work = run(server.url.clone(), self.events);
        // Spawned: the thread that waits for it is none of the runtime's workers.
        Runtime::new()?.block_on(async { tokio::spawn(work).await? })
    }

    fn all(&self) -> impl Iterator<Item = &Run> {
        std::iter::once(&self.ours).chain(self.rivals.iter().map(|(_, run)| run))
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
