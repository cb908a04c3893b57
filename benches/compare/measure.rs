//! Runs a piece of work in turns with its rivals.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

/// A piece of work, done by genstage and by others.
pub(crate) struct Case {
    pub(crate) work: &'static str,
    /// How many events may be on their way over an edge.
    pub(crate) window: usize,
    pub(crate) consumers: usize,
    /// How many events are handled, which is what the times are divided by.
    pub(crate) events: u64,
    pub(crate) ours: Run,
    pub(crate) rivals: Vec<(&'static str, Run)>,
}

/// Does the whole work once; what it came to.
pub(crate) type Run = Box<dyn Fn(&Runtime) -> Result<u64>>;

/// Makes a [`Run`] of an async function.
pub(crate) fn run<F: Future<Output = Result<u64>> + Send + 'static>(work: impl Fn() -> F + 'static) -> Run {
    // Spawned: the thread that waits for it is none of the runtime's workers.
    Box::new(move |runtime| runtime.block_on(async { tokio::spawn(work()).await? }))
}

/// tokio's two kinds of runtime.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Flavor {
    CurrentThread,
    MultiThread,
}

impl Flavor {
    pub(crate) const ALL: [Self; 2] = [Self::CurrentThread, Self::MultiThread];

    fn runtime(self) -> Result<Runtime> {
        let mut builder = match self {
            Self::CurrentThread => Builder::new_current_thread(),
            Self::MultiThread => Builder::new_multi_thread(),
        };
        Ok(builder.worker_threads(2).enable_time().build()?)
    }
}

/// What came out, beside one rival.
#[derive(Serialize)]
pub(crate) struct Row {
    work: &'static str,
    window: usize,
    consumers: usize,
    flavor: Flavor,
    rival: &'static str,
    ours_ns_per_event: f64,
    rival_ns_per_event: f64,
    ratio: f64,
}

impl Row {
    pub(crate) const HEAD: &str = "| work | window | consumers | runtime | rival | genstage ns/event | rival ns/event | ratio |\n\
                                   |---|---:|---:|---|---|---:|---:|---:|";
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, window, consumers, flavor, rival, ours_ns_per_event, rival_ns_per_event, ratio } =
            self;
        let flavor = match flavor {
            Flavor::CurrentThread => "1 thread",
            Flavor::MultiThread => "2 threads",
        };
        write!(
            f,
            "| {work} | {window} | {consumers} | {flavor} | {rival} | {ours_ns_per_event:.2} | {rival_ns_per_event:.2} | {ratio:.2} |"
        )
    }
}

impl Case {
    /// Runs everybody in turns, so that what disturbs the machine disturbs all.
    pub(crate) fn measure(&self, flavor: Flavor, rounds: usize) -> Result<Vec<Row>> {
        let runtime = flavor.runtime()?;
        self.check(&runtime)?;
        let mut times = vec![vec![]; 1 + self.rivals.len()];
        for _ in 0..rounds {
            for (run, times) in self.all().zip(&mut times) {
                let start = Instant::now();
                run(&runtime)?;
                times.push(start.elapsed());
            }
        }
        let mut medians = times.into_iter().map(|times| self.per_event(median(times)));
        let ours = medians.next().unwrap_or_default();
        Ok(self
            .rivals
            .iter()
            .zip(medians)
            .map(|((rival, _), theirs)| self.row(flavor, rival, ours, theirs))
            .collect())
    }

    /// Runs everybody once without a clock: all have to come to the same, and memory is there then.
    fn check(&self, runtime: &Runtime) -> Result<()> {
        let ours = (self.ours)(runtime)?;
        for (rival, run) in &self.rivals {
            let theirs = run(runtime)?;
            ensure!(theirs == ours, "{}: genstage came to {ours}, {rival} to {theirs}", self.work);
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = &Run> {
        std::iter::once(&self.ours).chain(self.rivals.iter().map(|(_, run)| run))
    }

    fn row(&self, flavor: Flavor, rival: &'static str, ours: f64, theirs: f64) -> Row {
        Row {
            work: self.work,
            window: self.window,
            consumers: self.consumers,
            flavor,
            rival,
            ours_ns_per_event: ours,
            rival_ns_per_event: theirs,
            ratio: theirs / ours,
        }
    }

    fn per_event(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e9 / self.events as f64
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
