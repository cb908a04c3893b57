//! Stages on several machines, over [NATS JetStream](https://docs.nats.io/nats-concepts/jetstream): the demand of a consumer on one machine is a
//! request for so many messages, and what a producer on another machine emits is stored until it is asked for.
//!
//! An exchange stands between them: a stream of JetStream, and the consumers of it that JetStream keeps account for. One pipeline ends in its
//! [`sink`](Hub::sink), others begin with its [`source`](Hub::source):
//!
//! ```no_run
//! use genstage::prelude::*;
//! use genstage::remote::Delivered;
//! use genstage_nats::{Codec, Nats};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     id: u64,
//!     total: u64,
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result {
//! let nats = Nats::connect("nats://localhost:4222").await?;
//! let hub = nats.exchange("orders").demand().bounded(100_000).pack(100).open::<Order>(Codec::Json).await?;
//!
//! // On one machine:
//! let orders = (0..1000).map(|id| Order { id, total: id * 100 });
//! pipeline! {
//!     out = hub.sink().id(|order| order.id.to_string());
//!     from_iter(orders) => out;
//! }
//! .run()
//! .await?;
//!
//! // On any number of others:
//! pipeline! {
//!     orders = hub.source("billing");
//!     charge = for_each(|order: Delivered<Order>| {
//!         println!("{}: {}", order.id, order.total);
//!         order.done();
//!     });
//!     orders => charge [max_demand: 1000];
//! }
//! .run_until(tokio::signal::ctrl_c())
//! .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! **At least once.** An event that was not settled, whatever became of the machine that had it, comes again. Putting it in is repeated until the
//! server has confirmed it; within the [window](Exchange::dedup_window) of an exchange the server knows what it has already, by the event's
//! [id](Sink::id). So an event is stored once, and handled once unless something fails between its handling and the word of it: make handlers
//! idempotent.

mod codec;
mod consumers;
mod exchange;
mod hub;
mod message;
mod nats;
mod owners;
mod ownership;
mod pulls;
mod requests;
mod sink;
mod source;

pub use codec::Codec;
pub use exchange::{ByKey, Everyone, Exchange, Routing, Shared};
pub use hub::{Hub, OpenError};
pub use nats::Nats;
pub use sink::{Forward, Sink};
pub use source::{Receipt, Session, Source};
