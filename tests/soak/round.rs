//! One random pipeline, from its start to its end, and the account of its events.

use std::time::Duration;

use genstage::{Failure, Reason, Running, Summary};
use genstage_tests::ledger::Ledger;
use tokio::task::JoinSet;

use crate::dice::{Dice, Luck};
use crate::meddler::{Meddler, WINDOW};
use crate::stages::Common;
use crate::topology::Plan;

/// What a round came to, for the statistics.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) events: u64,
    pub(crate) lost: u64,
    pub(crate) discarded: u64,
    pub(crate) restarts: u64,
    pub(crate) failed: bool,
}

/// Ends a pipeline in one of the ways there are; its summary, if it tells.
async fn end(dice: &Dice, running: Running) -> Option<Summary> {
    if dice.once_in(2) {
        tokio::time::sleep(Duration::from_millis(dice.below(3) as u64)).await;
    }
    let ended = match dice.below(8) {
        0..3 => running.join().await,
        3 => running.drain().await,
        4 => running.drain_within(Duration::from_millis(1)).await,
        5 => running.stop(dice.reason()).await,
        6 => running.abort().await,
        _ => {
            drop(running);
            return None;
        }
    };
    match ended {
        Ok(summary) | Err(Failure::Stage { summary, .. } | Failure::CutOff { summary, .. }) => Some(summary),
        Err(refused) => panic!("{refused}"),
    }
}

/// Waits for what is about to be so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it is not to come that {what}");
}

/// Runs one. What is dropped is counted, but for what streams and killed consumers may take with them.
pub(crate) async fn run(seed: u64) -> Outcome {
    let (dice, ledger) = (Dice::new(seed), Ledger::default());
    let (running, handles) = Plan::random(&dice, &ledger).start().unwrap();
    let (takes, mut meddlers) = (dice.once_in(3), JoinSet::new());
    for _ in 0..dice.below(4) {
        let common = Common { luck: Luck::good(&dice), ledger: ledger.clone() };
        meddlers.spawn(Meddler { dice: dice.clone(), handles: handles.clone(), common, takes }.run());
    }
    drop(handles);
    let summary = end(&dice, running).await;
    meddlers.join_all().await;
    // The stages of a pipeline that was dropped are about to end.
    until("no event is left", || ledger.alive() == 0).await;
    summary.map_or_else(Outcome::default, |summary| account(&summary, &ledger, takes))
}

fn account(summary: &Summary, ledger: &Ledger, takes: bool) -> Outcome {
    let sum = |count: fn(&genstage::StageSummary) -> u64| summary.stages().iter().map(count).sum::<u64>();
    let [lost, discarded] = [sum(|stage| stage.lost), sum(|stage| stage.discarded)];
    let uncounted = ledger.dropped().checked_sub(lost + discarded);
    // A stream that is dropped gives back what it has, but its stage may have ended by then; a killed consumer gives nothing.
    let most = if takes { 3 * 12 * WINDOW as u64 } else { 0 };
    assert!(
        uncounted.is_some_and(|events| events <= most),
        "{} were dropped, of\n{ledger:?}\nin\n{summary}",
        ledger.dropped()
    );
    let failed = summary.stages().iter().any(|stage| stage.reason.is_failure());
    assert!(summary.stages().iter().all(|stage| !matches!(stage.reason, Reason::Killed)), "{summary}");
    Outcome { events: ledger.made(), lost, discarded, restarts: sum(|stage| stage.restarts), failed }
}
