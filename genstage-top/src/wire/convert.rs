//! Frames out of what genstage says.

use std::time::Duration;

use genstage::{EdgeSnapshot, GraphEdge, GraphNode, Kind, PipelineSnapshot, StageSnapshot, StageState};

use super::{Edge, Graph, Node, Role, Snapshot, Stage, State, Subscription};

impl From<&genstage::Graph> for Graph {
    fn from(graph: &genstage::Graph) -> Self {
        Self {
            nodes: graph.nodes().iter().map(Node::from).collect(),
            edges: graph.edges().iter().map(Edge::from).collect(),
        }
    }
}

impl From<&GraphNode> for Node {
    fn from(node: &GraphNode) -> Self {
        Self { name: node.name.clone(), role: node.role.into(), replicas: node.replicas }
    }
}

impl From<Kind> for Role {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Producer => Self::Source,
            Kind::ProducerConsumer => Self::Middle,
            Kind::Consumer => Self::Sink,
            Kind::ConsumerSupervisor => Self::Tasks,
        }
    }
}

impl From<&GraphEdge> for Edge {
    fn from(edge: &GraphEdge) -> Self {
        Self { from: edge.from.clone(), to: edge.to.clone(), max_demand: edge.max_demand }
    }
}

impl From<&PipelineSnapshot> for Snapshot {
    fn from(snapshot: &PipelineSnapshot) -> Self {
        Self {
            clock: nanoseconds(snapshot.clock),
            stages: snapshot.stages.iter().map(Stage::from).collect(),
            edges: snapshot.edges.iter().map(Subscription::from).collect(),
        }
    }
}

impl From<&StageSnapshot> for Stage {
    fn from(stage: &StageSnapshot) -> Self {
        Self {
            name: stage.name.to_string(),
            node: stage.node,
            state: stage.state.into(),
            callbacks: stage.callbacks,
            busy: nanoseconds(stage.busy),
            events_in: stage.events_in,
            events_out: stage.events_out,
            buffered: stage.buffered,
            mailbox: stage.mailbox,
            discarded: stage.discarded,
            lost: stage.lost,
            restarts: stage.restarts,
        }
    }
}

impl From<StageState> for State {
    fn from(state: StageState) -> Self {
        match state {
            StageState::Waiting => Self::Waiting,
            StageState::InCallback => Self::InCallback,
            StageState::Ended => Self::Ended,
        }
    }
}

impl From<&EdgeSnapshot> for Subscription {
    fn from(edge: &EdgeSnapshot) -> Self {
        let [from, to] = [&edge.from, &edge.to].map(ToString::to_string);
        Self { from, to, edge: edge.edge, asked: edge.asked, sent: edge.sent, handled: edge.handled }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
