//! What frames come to: rates, shares, and the bottleneck.
//!
//! Frames may come from anywhere: from a connection, or from a [`Watch`](genstage::Watch) in the same process.
//!
//! ```
//! use genstage::prelude::*;
//! use genstage_top::model::History;
//! use genstage_top::view;
//!
//! # #[tokio::main]
//! # async fn main() -> Result {
//! let app = pipeline! { numbers = from_iter(0..1000); numbers => for_each(|n: u64| drop(n)); }.start()?;
//! let watch = app.watch();
//! let mut history = History::new(watch.graph().into());
//! history.add((&watch.snapshot()).into());
//! app.join().await?;
//! history.add((&watch.snapshot()).into());
//!
//! let picture = history.picture();
//! assert!(picture.has_ended);
//! assert_eq!(picture.nodes[0].all.events_out, 1000);
//! println!("{}", view::text(&picture, 80));
//! # Ok(())
//! # }
//! ```

mod bottleneck;
mod history;
mod measure;
mod order;

pub use bottleneck::{BUSY_ENOUGH, Bottleneck, Why};
pub use history::{History, WINDOW};
pub use measure::measure;

use crate::wire::{Role, State};

/// A pipeline, as it is to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Nanoseconds for which it has been watched.
    pub watched: u64,
    /// Whether all stages have ended. Rates and shares are those of the whole time then.
    pub has_ended: bool,
    /// In the order in which they were declared.
    pub nodes: Vec<NodePicture>,
    /// In the order in which they were declared.
    pub edges: Vec<EdgePicture>,
    /// The stage that holds up the others, if there is one.
    pub bottleneck: Option<Bottleneck>,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodePicture {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// How many edges there are at most from a source to it.
    pub depth: usize,
    /// All its stages together: shares are means, all else is a sum.
    pub all: Load,
    /// Each of its stages.
    pub stages: Vec<StagePicture>,
}

/// A stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StagePicture {
    /// Its name.
    pub name: String,
    /// What it does.
    pub load: Load,
}

/// What a stage, or several, do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// Events a second that are handed to the handler. None before there are two frames.
    pub rate_in: Option<f64>,
    /// Events a second that are sent.
    pub rate_out: Option<f64>,
    /// The share of the time in callbacks, from 0 to 1.
    pub busy: Option<f64>,
    /// Events handed to the handler in all.
    pub events_in: u64,
    /// Events sent in all.
    pub events_out: u64,
    /// Events that wait in it because nobody wants them.
    pub buffered: u64,
    /// Messages not looked at.
    pub mailbox: u64,
    /// How often it has been begun anew.
    pub restarts: u64,
    /// Events that nobody will see.
    pub discarded: u64,
    /// Events lost with failed callbacks.
    pub lost: u64,
    /// How many have ended, of how many.
    pub ended: (usize, usize),
}

/// An edge, with all its subscriptions.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgePicture {
    /// The producing node's name.
    pub from: String,
    /// The consuming node's name.
    pub to: String,
    /// Events a second that are sent.
    pub rate: Option<f64>,
    /// Events sent in all.
    pub sent: u64,
    /// Events that are wanted and have not been sent.
    pub outstanding: u64,
    /// Events that have been sent and not handled.
    pub in_flight: u64,
    /// How many may be on their way; none if there is no bound.
    pub max_demand: Option<u64>,
}

impl Picture {
    /// The numbers of the nodes, those closest to a source first.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let depths: Vec<_> = self.nodes.iter().map(|node| node.depth).collect();
        order::topological(&depths)
    }

    /// Whether rates and shares are known: they take two frames.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.nodes.iter().any(|node| node.all.busy.is_some())
    }
}

impl EdgePicture {
    /// How much of what may be on its way is, from 0 to 1.
    #[must_use]
    pub fn fill(&self) -> f64 {
        match self.max_demand {
            Some(0) | None => 0.0,
            Some(max) => (self.in_flight as f64 / max as f64).min(1.0),
        }
    }
}

impl Load {
    /// Puts another stage's beside this one.
    fn add(&mut self, other: &Self) {
        let sum = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a + b).or(a).or(b);
        self.rate_in = sum(self.rate_in, other.rate_in);
        self.rate_out = sum(self.rate_out, other.rate_out);
        self.busy = sum(self.busy, other.busy);
        self.events_in = self.events_in.saturating_add(other.events_in);
        self.events_out = self.events_out.saturating_add(other.events_out);
        self.buffered = self.buffered.saturating_add(other.buffered);
        self.mailbox = self.mailbox.saturating_add(other.mailbox);
        self.restarts = self.restarts.saturating_add(other.restarts);
        self.discarded = self.discarded.saturating_add(other.discarded);
        self.lost = self.lost.saturating_add(other.lost);
        self.ended = (self.ended.0 + other.ended.0, self.ended.1 + other.ended.1);
    }

    /// What stages do together.
    fn of_all(stages: &[StagePicture]) -> Self {
        let mut all = Self::default();
        stages.iter().for_each(|stage| all.add(&stage.load));
        all.busy = all.busy.map(|busy| busy / stages.len() as f64);
        all
    }

    fn ended(state: State) -> (usize, usize) {
        (usize::from(state == State::Ended), 1)
    }
}
