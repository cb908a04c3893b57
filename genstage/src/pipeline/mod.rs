//! What `pipeline!` yields, and what it is put together with.

mod check;
mod graph;
mod node;
mod run;
mod wiring;

pub use check::{edge, middle, sink, source};
pub use graph::{EdgeName, Graph, GraphEdge, GraphNode};
pub use node::{Node, Replicas, node, replica, replica_array, replicas, restartable, restartable_replica};
pub use run::{Pipeline, Running};
pub use wiring::Wiring;
