//! What `pipeline!` yields, and what it is put together with.

mod check;
mod declared;
mod fuse;
mod graph;
mod node;
mod replicas;
mod run;
mod wiring;

pub use check::{edge, middle, sink, source};
pub use declared::Declared;
pub use fuse::{fuse, parts};
pub use graph::{EdgeName, Graph, GraphEdge, GraphNode, GraphPart};
pub use node::Node;
pub use replicas::{Replicas, replica_array, replica_name, replicas};
pub use run::{Pipeline, Running};
pub use wiring::Wiring;
