use std::time::Duration;

use super::graph::{Graph, GraphEdge};
use super::node::{Launch, Replicas};
use super::run::Pipeline;
use crate::Refusal;
use crate::restart::{Limit, Strategy};

/// A pipeline that is being put together.
#[derive(Default)]
pub struct Wiring {
    stages: Vec<Box<dyn Launch>>,
    refusals: Vec<Refusal>,
    strategy: Strategy,
    limit: Limit,
    graph: Graph,
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
    pub fn add(&mut self, name: &str, mut node: impl Replicas) {
        if let Some(error) = node.nodes().iter().find_map(|node| node.check().err())
            && self.refusals.is_empty()
        {
            // Behind a refused edge it would be that edge's consumer that is missing.
            self.refuse(Refusal::Unserved { node: name.to_owned(), error });
        }
        self.take(name, node);
    }

    /// As [`add`](Self::add), a node that others may subscribe to later.
    pub fn add_open(&mut self, name: &str, mut node: impl Replicas) {
        node.nodes().iter_mut().for_each(|node| node.open());
        self.take(name, node);
    }

    /// Draws an edge of the graph.
    pub(super) fn draw(&mut self, edge: GraphEdge) {
        self.graph.add_edge(edge);
    }

    fn take(&mut self, name: &str, mut node: impl Replicas) {
        let before = self.stages.len();
        let nodes = node.nodes();
        if let Some(first) = nodes.first() {
            self.graph.add_node(first.draw(name, nodes.len()));
        }
        self.stages.extend(node.into_nodes().map(|node| node.into_launch()));
        if self.stages.len() == before {
            self.refuse(Refusal::NoReplicas { node: name.to_owned() });
        }
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

    /// The finished pipeline.
    pub fn finish<H>(self, handles: H) -> Pipeline<H> {
        let Self { stages, refusals, strategy, limit, graph } = self;
        Pipeline { handles, stages, refusals, strategy, limit, graph }
    }
}
