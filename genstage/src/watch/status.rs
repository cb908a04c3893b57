use std::sync::Arc;
use std::time::Duration;

use super::{Watched, WatchedEdge};

/// What a pipeline has done so far; from [`Watch::snapshot`](crate::Watch::snapshot).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PipelineSnapshot {
    /// The watchers' clock, by which [`StageSnapshot::busy`] is measured. Only differences mean anything.
    pub clock: Duration,
    /// Every stage, in the order of the graph's nodes.
    pub stages: Vec<StageSnapshot>,
    /// Every subscription that the pipeline declares, in the order of the graph's edges.
    pub edges: Vec<EdgeSnapshot>,
}

/// What one stage has done so far. Its numbers only grow, except for those that say what waits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StageSnapshot {
    /// The stage's name.
    pub name: Arc<str>,
    /// The number of its node in [`Graph::nodes`](crate::Graph::nodes).
    pub node: usize,
    /// What it is at.
    pub state: StageState,
    /// How many callbacks have been called.
    pub callbacks: u64,
    /// How long it has been in callbacks, waiting in them included, since somebody has been watching.
    pub busy: Duration,
    /// Events handed to its event handler.
    pub events_in: u64,
    /// Events sent to its consumers; under a dispatcher that copies, each copy counts.
    pub events_out: u64,
    /// Events that it has emitted and that wait in it because nobody wants them; or that a ready-made stage has in hand.
    pub buffered: u64,
    /// Messages that have come and that it has not looked at: batches, asks, and messages of the user's.
    pub mailbox: usize,
    /// Events that reached it or were emitted by it and that nobody will see.
    pub discarded: u64,
    /// Events lost with failed callbacks.
    pub lost: u64,
    /// How often it has been begun anew.
    pub restarts: u64,
}

/// What a stage is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// It waits for something to do.
    Waiting,
    /// A callback runs, or waits for something itself.
    InCallback,
    /// It has ended.
    Ended,
}

/// What has gone over one subscription so far.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EdgeSnapshot {
    /// The producer's name.
    pub from: Arc<str>,
    /// The consumer's name.
    pub to: Arc<str>,
    /// The number of its edge in [`Graph::edges`](crate::Graph::edges).
    pub edge: usize,
    /// Events that the consumer has asked for.
    pub asked: u64,
    /// Events that the producer has sent.
    pub sent: u64,
    /// Events that the consumer has handled.
    pub handled: u64,
}

impl PipelineSnapshot {
    /// Whether all stages have ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.stages.iter().all(|stage| stage.state == StageState::Ended)
    }

    /// The stage of that name: its node's, with `[i]` behind it for a replica.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<&StageSnapshot> {
        self.stages.iter().find(|stage| &*stage.name == name)
    }

    /// The subscription of `to` to `from`, by the names of the stages.
    #[must_use]
    pub fn edge(&self, from: &str, to: &str) -> Option<&EdgeSnapshot> {
        self.edges.iter().find(|edge| &*edge.from == from && &*edge.to == to)
    }

    /// The share of its time, from 0 to 1, that the `stage`th stage has been in callbacks since an earlier snapshot of the same
    /// pipeline. `None` if the clock has not moved in between, or if there is no such stage.
    ///
    /// The clock moves by milliseconds: a fifth of a second says it to a few percent.
    #[must_use]
    pub fn busy_share(&self, earlier: &Self, stage: usize) -> Option<f64> {
        let passed = self.clock.saturating_sub(earlier.clock);
        let busy = self.stages.get(stage)?.busy.saturating_sub(earlier.stages.get(stage)?.busy);
        (!passed.is_zero()).then(|| (busy.as_secs_f64() / passed.as_secs_f64()).min(1.0))
    }
}

impl StageSnapshot {
    pub(super) fn of(watched: &Watched) -> Self {
        let (stage, gauges) = (&watched.stage, watched.stage.gauges());
        let state = match gauges.is_in_callback() {
            _ if stage.has_ended() => StageState::Ended,
            true => StageState::InCallback,
            false => StageState::Waiting,
        };
        Self {
            name: stage.name().clone(),
            node: watched.node,
            state,
            callbacks: gauges.callbacks(),
            busy: gauges.busy(),
            events_in: gauges.events_in.get(),
            events_out: gauges.events_out.get(),
            buffered: gauges.buffered.get(),
            mailbox: stage.mailbox(),
            discarded: gauges.discarded.get(),
            lost: gauges.lost.get(),
            restarts: gauges.restarts.get(),
        }
    }
}

impl EdgeSnapshot {
    pub(super) fn of(watched: &WatchedEdge) -> Self {
        let gauges = &watched.gauges;
        // Read in the order in which they grow behind one another, the last first.
        let (handled, sent, asked) = (gauges.handled.get(), gauges.sent.get(), gauges.asked.get());
        Self { from: watched.from.clone(), to: watched.to.clone(), edge: watched.edge, asked, sent, handled }
    }

    /// Events that the consumer wants and the producer has not sent: 0 for long means that the producer has to wait for this
    /// consumer.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.asked.saturating_sub(self.sent)
    }

    /// Events that have been sent and not handled: on their way, in the consumer's mailbox or queue, or with its handler.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.sent.saturating_sub(self.handled)
    }
}
