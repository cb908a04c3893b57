//! What the macros' expansions call. Not for use by hand: it changes without notice.

pub use crate::buffer::{Buffer, Capacity, Keep, check_capacity};
pub use crate::children::{Shutdown, keep};
pub use crate::demand::{Window, check_window};
pub use crate::dispatch::{
    BroadcastDispatcher, DemandDispatcher, PartitionDispatcher, check_broadcast, check_dispatcher,
};
pub use crate::pipeline::{
    Declared, EdgeName, Node, Replicas, Wiring, edge, fuse, middle, parts, replica_array, replica_name,
    replicas, sink, source,
};
pub use crate::restart::{Restart, Strategy};
pub use crate::role::{
    Checked, ConsumerRole, ConsumerSupervisorRole, DeclaredConsumer, DeclaredConsumerSupervisor,
    DeclaredProducer, DeclaredProducerConsumer, Nothing, ProducerConsumerRole, ProducerRole, StageOptions,
};
pub use crate::subscription::{Cancel, DemandMode, Subscribe};
pub use crate::task::Recipe;
