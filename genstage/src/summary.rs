use std::fmt;
use std::sync::Arc;

use crate::Reason;

/// What every stage of a pipeline did, in the order in which the stages were declared.
///
/// Prints as a table:
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let summary = pipeline! {
///     numbers = from_iter(0..10);
///     printer = for_each(|n: u64| println!("{n}")), replicas: 2;
///
///     numbers => printer [max_demand: 2];
/// }
/// .run()
/// .await?;
/// println!("{summary}");
/// let printed: u64 = summary.stages().iter().map(|stage| stage.events_in).sum();
/// assert_eq!(printed, 10);
/// assert!(summary.stage("printer[1]").is_some_and(|printer| printer.reason.is_normal()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Summary {
    stages: Vec<StageSummary>,
}

/// What one stage did.
///
/// The ledger balances: for a producer, the events that its handlers emitted are `events_out + discarded + lost`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StageSummary {
    /// The stage's name: its node's, with `[i]` behind it for a replica.
    pub name: Arc<str>,
    /// Events handed to the stage's event handler.
    pub events_in: u64,
    /// Events sent to the stage's consumers; under a dispatcher that copies, each copy counts.
    pub events_out: u64,
    /// Events that reached the stage or were emitted by it and that nobody will see: its buffer overflowed, or they
    /// were still queued or buffered when the stage ended.
    pub discarded: u64,
    /// Events lost with a failing call of a handler: its batch, and what the call had emitted.
    pub lost: u64,
    /// How often the stage was begun anew.
    pub restarts: u64,
    /// Why the stage ended.
    pub reason: Reason,
}

impl StageSummary {
    /// Of a stage whose task ended without a word.
    pub(crate) fn unknown(name: Arc<str>, reason: Reason) -> Self {
        Self { name, events_in: 0, events_out: 0, discarded: 0, lost: 0, restarts: 0, reason }
    }
}

impl Summary {
    pub(crate) fn new(stages: Vec<StageSummary>) -> Self {
        Self { stages }
    }

    /// All stages, in the order in which they were declared.
    pub fn stages(&self) -> &[StageSummary] {
        &self.stages
    }

    /// The stage of that name (`counter`, `printer[0]`), if there is one.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<&StageSummary> {
        self.stages.iter().find(|stage| &*stage.name == name)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.stages.iter().map(|stage| stage.name.len()).max().unwrap_or(0).max("stage".len());
        write!(
            f,
            "{:width$} {:>12} {:>12} {:>10} {:>6}  ended",
            "stage", "events in", "events out", "discarded", "lost"
        )?;
        for StageSummary { name, events_in, events_out, discarded, lost, restarts, reason } in &self.stages {
            write!(
                f,
                "\n{name:width$} {events_in:>12} {events_out:>12} {discarded:>10} {lost:>6}  {reason}"
            )?;
            if *restarts > 0 {
                write!(f, " (restarts: {restarts})")?;
            }
        }
        Ok(())
    }
}
