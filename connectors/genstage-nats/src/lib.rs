#![doc = include_str!("../README.md")]

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
