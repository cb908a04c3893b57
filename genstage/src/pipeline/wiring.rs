use std::sync::Arc;
use std::time::Duration;

use super::graph::{Graph, GraphEdge};
use super::node::Launch;
use super::replicas::{AnyNode, Replicas};
use super::run::Pipeline;
use crate::restart::{Limit, Strategy};
use crate::watch::{Watched, WatchedEdge, WatchedPipeline};
use crate::{Refusal, Subscription};

/// A pipeline that is being put together.
#[derive(Default)]
pub struct Wiring {
    stages: Vec<Box<dyn Launch>>,
    refusals: Vec<Refusal>,
    strategy: Strategy,
    limit: Limit,
    warn_after: Option<Duration>,
    graph: Graph,
    watched: Vec<Watched>,
    watched_edges: Vec<WatchedEdge>,
}

impl Wiring {
    /// Without stages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    /// Takes in a node whose edges have all been declared.
    pub fn add(&mut self, name: &str, node: impl Replicas) {
        let stages = launches(node);
        if let Some(error) = stages.iter().find_map(|stage| stage.check().err())
            && self.refusals.is_empty()
        {
            // Behind a refused edge it would be that edge's consumer that is missing.
            self.refuse(Refusal::Unserved { node: name.to_owned(), error });
        }
        self.take(name, stages);
    }

    /// As [`add`](Self::add), a node that others may subscribe to later.
    pub fn add_open(&mut self, name: &str, node: impl Replicas) {
        let mut stages = launches(node);
        stages.iter_mut().for_each(|stage| stage.open());
        self.take(name, stages);
    }

    /// Draws an edge of the graph.
    pub(super) fn draw(&mut self, edge: GraphEdge) {
        self.graph.add_edge(edge);
    }

    /// Takes note of a subscription over the edge that was drawn last.
    pub(super) fn watch_edge(&mut self, from: &Arc<str>, subscription: &Subscription) {
        self.watched_edges.push(WatchedEdge {
            edge: self.graph.edges().len().saturating_sub(1),
            from: from.clone(),
            to: subscription.peer.clone(),
            gauges: subscription.gauges.clone(),
        });
    }

    fn take(&mut self, name: &str, stages: Vec<Box<dyn Launch>>) {
        let node = self.graph.nodes().len();
        self.watched.extend(stages.iter().map(|stage| Watched { node, stage: stage.observe() }));
        match stages.first() {
            Some(first) => self.graph.add_node(first.draw(name, stages.len())),
            None => self.refuse(Refusal::NoReplicas { node: name.to_owned() }),
        }
        self.stages.extend(stages);
    }

    /// `strategy: …`
    pub fn strategy(&mut self, strategy: Strategy) {
        self.strategy = strategy;
    }

    /// `max_restarts: …`
    pub fn max_restarts(&mut self, restarts: usize) {
        self.limit.max_restarts = restarts;
    }

    /// `within: …`
    pub fn within(&mut self, within: Duration) {
        self.limit.within = within;
    }

    /// `backoff: …`
    pub fn backoff(&mut self, backoff: Duration) {
        self.limit.backoff = backoff;
    }

    /// `warn_after: …`
    pub fn warn_after(&mut self, limit: Duration) {
        self.warn_after = Some(limit);
    }

    /// The finished pipeline.
    pub fn finish<H>(self, handles: H) -> Pipeline<H> {
        let Self { stages, refusals, strategy, limit, warn_after, graph, watched, watched_edges } = self;
        let watched =
            WatchedPipeline { stages: watched.into(), edges: watched_edges.into(), graph: Arc::new(graph) };
        Pipeline { handles, stages, refusals, strategy, limit, warn_after, watched }
    }
}

fn launches(node: impl Replicas) -> Vec<Box<dyn Launch>> {
    node.into_nodes().filter_map(AnyNode::into_wired).map(|wired| wired.0).collect()
}
