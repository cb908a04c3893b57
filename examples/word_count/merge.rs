//! The consumer: adds the counts up, of each text wholly or not at all.

use std::collections::hash_map::Entry;

use genstage::prelude::*;
use genstage::{Error, Reason};
use indicatif::ProgressBar;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use crate::count::Counted;
use crate::read::{Part, Text};

/// What has been counted altogether.
#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) counts: FxHashMap<String, u64>,
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    pub(crate) skipped: u64,
    /// What is still to be said of those that were skipped.
    pub(crate) reports: Vec<String>,
}

/// When it is said that a text is skipped.
pub(crate) enum Reports {
    AtOnce,
    /// While something else is on the screen.
    Later(Vec<String>),
}

impl Totals {
    pub(crate) fn words(&self) -> u64 {
        self.counts.values().sum()
    }
}

#[stage(consumer)]
pub(crate) struct Merge {
    totals: Totals,
    /// The texts whose parts have not all come: replicas overtake one another.
    texts: FxHashMap<usize, Gathering>,
    strict: bool,
    reports: Reports,
    progress: ProgressBar,
    done: Option<oneshot::Sender<Totals>>,
}

/// A text whose parts are coming.
#[derive(Default)]
struct Gathering {
    counted: Counted,
    pieces: usize,
    /// How many pieces there are, once that is known, and whether they are the whole text.
    end: Option<(usize, bool)>,
}

impl Gathering {
    fn add(&mut self, piece: Counted) {
        self.pieces += 1;
        self.counted.bytes += piece.bytes;
        add(&mut self.counted.counts, piece.counts);
    }
}

fn add(counts: &mut FxHashMap<String, u64>, more: FxHashMap<String, u64>) {
    if counts.is_empty() {
        *counts = more;
        return;
    }
    for (word, count) in more {
        *counts.entry(word).or_default() += count;
    }
}

impl Merge {
    pub(crate) fn new(
        strict: bool,
        reports: Reports,
        progress: ProgressBar,
        done: oneshot::Sender<Totals>,
    ) -> Self {
        let (totals, texts) = (Totals::default(), FxHashMap::default());
        Self { totals, texts, strict, reports, progress, done: Some(done) }
    }

    fn gather(&mut self, part: Part<Counted>) -> Result {
        let number = match part {
            Part::Piece { text, piece } => {
                self.progress.inc(piece.bytes);
                self.texts.entry(text.number).or_default().add(piece);
                text.number
            }
            Part::End { text, pieces, error } => {
                self.texts.entry(text.number).or_default().end = Some((pieces, error.is_none()));
                self.report(&text, error)?;
                text.number
            }
        };
        self.settle(number);
        Ok(())
    }

    fn report(&mut self, text: &Text, error: Option<String>) -> Result {
        match error {
            Some(error) if self.strict => {
                Err(Error::msg(error).context(format!("cannot count {}", text.name)))
            }
            Some(error) => {
                let report = format!("skipped {}: {error}", text.name);
                match &mut self.reports {
                    Reports::AtOnce => self.progress.suspend(|| eprintln!("{report}")),
                    Reports::Later(reports) => reports.push(report),
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Adds a text to the totals if all its parts have come and are the whole of it.
    fn settle(&mut self, number: usize) {
        let Entry::Occupied(entry) = self.texts.entry(number) else { return };
        let Some((pieces, whole)) = entry.get().end else { return };
        if entry.get().pieces < pieces {
            return;
        }
        let Counted { counts, bytes } = entry.remove().counted;
        if whole {
            self.totals.files += 1;
            self.totals.bytes += bytes;
            add(&mut self.totals.counts, counts);
        } else {
            self.totals.skipped += 1;
        }
    }
}

impl Consumer for Merge {
    type Event = Part<Counted>;

    async fn handle_events(&mut self, events: &mut Batch<Self::Event>, _: &mut Context<Self>) -> Result {
        events.drain().try_for_each(|part| self.gather(part))
    }

    async fn terminate(&mut self, reason: &Reason) {
        if let (Some(done), true) = (self.done.take(), reason.is_normal()) {
            if let Reports::Later(reports) = &mut self.reports {
                self.totals.reports = std::mem::take(reports);
            }
            // Nobody waits any more if the program is on its way out.
            let _ = done.send(std::mem::take(&mut self.totals));
        }
    }
}
