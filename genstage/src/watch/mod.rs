//! What a running pipeline does, from outside.

mod clock;
mod gauges;
#[cfg(feature = "metrics")]
mod metrics;
mod status;
mod watchdog;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use gauges::{EdgeGauges, StageGauges};
pub use status::{EdgeSnapshot, PipelineSnapshot, StageSnapshot, StageState};

use crate::Graph;
use clock::Ticking;

/// Looks at a running pipeline; from [`Running::watch`](crate::Running::watch).
///
/// A look asks no stage for anything: every stage counts as it goes, and publishes what it has counted, so that one which is busy,
/// or stuck, is seen as well as others. Numbers of a stage are those of the moment in which it last waited for something, or
/// began a batch with more behind it; those of edges, and whether a callback runs, are of this moment. Numbers of several stages are
/// not of quite the same one.
///
/// Counting goes on whether somebody watches or not. Only how long callbacks take is measured while there is a `Watch`: a thread of
/// its own moves a clock on every millisecond then.
///
/// A `Watch` keeps no stage running, and can be looked at after the pipeline has ended. Clones look at the same pipeline.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let running = pipeline! {
///     numbers = from_iter(0..1000);
///     numbers => for_each(|_: u64| ());
/// }
/// .start()?;
/// let watch = running.watch();
/// running.join().await?;
/// let snapshot = watch.snapshot();
/// assert_eq!(snapshot.stages[0].events_out, 1000);
/// assert_eq!(snapshot.edges[0].handled, 1000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Watch {
    pipeline: WatchedPipeline,
    /// For as long as somebody watches.
    _ticking: Arc<Ticking>,
}

/// A pipeline, seen from outside.
#[derive(Clone, Debug)]
pub(crate) struct WatchedPipeline {
    pub(crate) stages: Arc<[Watched]>,
    pub(crate) edges: Arc<[WatchedEdge]>,
    pub(crate) graph: Arc<Graph>,
}

/// One stage of a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// The number of its node in the graph.
    pub(crate) node: usize,
    pub(crate) stage: Arc<dyn Observed>,
}

/// One subscription of a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct WatchedEdge {
    /// The number of its edge in the graph.
    pub(crate) edge: usize,
    pub(crate) from: Arc<str>,
    pub(crate) to: Arc<str>,
    pub(crate) gauges: Arc<EdgeGauges>,
}

/// A stage of whatever type, seen from outside.
pub(crate) trait Observed: Send + Sync + std::fmt::Debug {
    fn name(&self) -> &Arc<str>;
    fn gauges(&self) -> &StageGauges;
    /// How many messages have come and have not been looked at.
    fn mailbox(&self) -> usize;
    fn has_ended(&self) -> bool;
}

impl Watch {
    pub(crate) fn new(pipeline: WatchedPipeline) -> Self {
        Self { pipeline, _ticking: Ticking::start() }
    }

    /// The topology, as it was declared. Stages and edges of a snapshot say which node and which edge of it they belong to.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.pipeline.graph
    }

    /// What all stages and edges have done so far, in the order of the graph's nodes and edges; of a node with replicas, each of
    /// them.
    #[must_use]
    pub fn snapshot(&self) -> PipelineSnapshot {
        PipelineSnapshot {
            clock: Duration::from_nanos(clock::now()),
            stages: self.pipeline.stages.iter().map(StageSnapshot::of).collect(),
            edges: self.pipeline.edges.iter().map(EdgeSnapshot::of).collect(),
        }
    }
}
