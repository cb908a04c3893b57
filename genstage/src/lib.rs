//! Stages that exchange events under back-pressure: GenStage for Rust.
//!
//! A **producer** is a source of events, a **consumer** is a sink, a **producer-consumer** is both. A consumer subscribes to
//! a producer and asks it for events; the producer emits what it was asked for. Demand flows upstream, events flow
//! downstream, and nothing is sent that was not asked for. That is back-pressure: a slow consumer slows its producers down,
//! and memory is bounded whatever the speeds are.
//!
//! Each stage is a plain struct with [`#[stage(…)]`](macro@stage) on it and the trait of its role: [`Producer`],
//! [`ProducerConsumer`] or [`Consumer`]. [`pipeline!`] declares which stages there are and who subscribes to whom; the
//! compiler refuses stages in the wrong place and events of the wrong type.
//!
//! ```
//! use genstage::prelude::*;
//!
//! /// Adds up what comes, and prints the sum at the end.
//! #[stage(consumer)]
//! struct Sum {
//!     so_far: u64,
//! }
//!
//! impl Consumer for Sum {
//!     type Event = u64;
//!
//!     async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
//!         self.so_far += events.drain().sum::<u64>();
//!         Ok(())
//!     }
//!
//!     async fn terminate(&mut self, _: &genstage::Reason) {
//!         println!("{}", self.so_far);
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result {
//!     let summary = pipeline! {
//!         numbers = from_iter(1..=1000);
//!         sum     = Sum { so_far: 0 };
//!
//!         numbers => map(|n: u64| n * n) => sum [max_demand: 100];
//!     }
//!     .run()
//!     .await?;
//!     println!("{summary}");
//!     Ok(())
//! }
//! ```
//!
//! # Demand in numbers
//!
//! Over one subscription a consumer first asks for `max_demand` (1000) events. It handles them in batches of at most
//! `max_demand - min_demand` (500); whenever no more than `min_demand` (500) events are outstanding, it asks for as many as
//! are missing to `max_demand`. So one half of the window is on its way while the other is handled. A smaller window means
//! less memory and less to lose, a larger one fewer messages.
//!
//! # Fairness
//!
//! A stage that never has to wait takes part in tokio's [budgets](tokio::task::coop): after 128 looks into its mailbox, each of which takes
//! all messages that are there, it lets other tasks of its thread run. A handler that computes for long does not: put it on a
//! `blocking` stage, or let it await [`consume_budget`](tokio::task::coop::consume_budget) now and then.
//!
//! # Who gets which event
//!
//! `dispatcher = …` in `#[stage]` says it: the consumer that wants most ([`DemandDispatcher`], the default), every consumer
//! ([`BroadcastDispatcher`]), the consumer of the event's partition ([`PartitionDispatcher`]), or a [`Dispatcher`] of your own.
//!
//! # Stages without a pipeline
//!
//! [`Spawn::spawn`] runs a stage on its own; its [`StageRef`] subscribes it to others, asks, cancels, stops it, sends it
//! messages ([`Call`], [`Cast`], [`Info`]), and gives its events as a stream. Handles of a pipeline's stages do the same.
//!
//! # Testing
//!
//! With the feature `testing`, the probes of `genstage::testing` stand in for the producer and the consumer of a stage under
//! test, and `settle` waits until nothing is in flight any more.
//!
//! # Watching
//!
//! [`Running::watch`] shows what a running pipeline does, without asking any stage. [`telemetry`] has all that is traced and measured.
//!
//! # More to read
//!
//! * [Coming from Elixir](guide::coming_from_elixir): GenStage's words, and where they are here.
//! * [Testing your stages](guide::testing_your_stages): from an empty file to a tested middle stage.
//! * [Watching a pipeline](guide::watching_a_pipeline): which figure answers which question.
//!
//! # Ends and failures
//!
//! A stage ends normally when it calls [`Context::finish`], when its last producer has ended and everything queued is
//! handled, or when its last consumer has ended. So a finite pipeline ends by itself, and [`Pipeline::run`] returns a
//! [`Summary`]. When a callback fails or panics, the other stages stop and `run` returns a [`Failure`] that names the stage
//! and the cause. Dropping a [`Running`] pipeline, or the future of `run`, stops it; [`Running::drain`] and
//! [`Pipeline::run_until`] end it without losing anything.
//!
//! A node with `restart: on_failure` goes on with fresh state when its stage has failed, and its neighbours notice nothing: see
//! [`pipeline!`]. A [`ConsumerSupervisor`] starts a task for each event; a [`Supervisor`] keeps stages and tasks running without a
//! pipeline.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | what it adds | for |
//! |---|---|---|
//! | `testing` | the module `genstage::testing`: probes, and `settle` | tests of stages and dispatchers: a dev-dependency |
//! | `metrics` | [`Watch`]`::record_metrics` | programs that use the [`metrics`](https://docs.rs/metrics) facade |
//!
//! # Versions
//!
//! Versions follow SemVer as Cargo reads it: before 1.0 what breaks users comes with a new minor version, 0.1 to 0.2.
//!
//! * **The interface** is what this documentation says: items and their signatures, what the macros accept, what is said of order, demand,
//!   ends and losses, the defaults, and the names in [`telemetry`].
//! * **It is not** what is not documented: `__private`, hidden items, and what the macros write. Nor are the words of compile errors, of errors,
//!   and of `Debug`; how events are cut into batches, within what windows say; the text of drawn graphs; how fast something is.
//! * **Enums and structs that are `non_exhaustive`** may get variants and fields at any time.
//! * **Dependencies in the interface** are `anyhow`, `futures-core` and `futures-sink`, the `tokio` that stages run on, and, with their feature,
//!   `metrics`. A version of one of them that breaks is one of this crate that does. `genstage` and `genstage-macros` always have the same version.
//! * **The oldest Rust** that builds it is 1.88. A newer one is asked for by a new minor version, never by a patch.

// docs.rs says of each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

// Expansions of the macros say `::genstage`, here too.
extern crate self as genstage;

mod attempt;
mod batch;
mod buffer;
mod channel;
mod children;
mod context;
mod control;
mod demand;
mod dispatch;
mod error;
mod fused;
#[cfg(any(doc, doctest))]
pub mod guide;
mod machine;
mod message;
mod pipeline;
pub mod prelude;
mod rate;
mod registry;
mod restart;
mod role;
mod snapshot;
mod stages;
mod stream;
mod subscription;
mod summary;
mod supervisor;
mod task;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

mod watch;

#[doc(hidden)]
pub mod __private;

pub use attempt::{Attempt, Backoff, TimedOut, retry, timeout};
pub use batch::Batch;
pub use buffer::{Keep, Marker};
pub use children::{Child, ChildCount, ChildId, ChildInfo, Ignore, NoSuchChild, Shutdown, Stopping};
pub use context::{Context, Timer};
pub use demand::WindowError;
pub use dispatch::{
    BroadcastDispatcher, ConsumerKey, DemandDispatcher, Dispatcher, NotDispatched, Outbox, Partition,
    PartitionDispatcher, PartitionKey, Selector, stable_hash,
};
pub use error::{Error, Failure, Reason, Refusal, Result};
pub use genstage_macros::{pipeline, stage};
pub use message::{Call, CallError, Cast, Ended, Info, ReplyTo, TryCastError};
pub use pipeline::{Graph, GraphEdge, GraphNode, GraphPart, Pipeline, Running};
pub use rate::Rate;
pub use registry::{NameTaken, Registry};
pub use restart::{Restart, Strategy};
pub use role::{Consumer, ConsumerSupervisor, Emits, Kind, Producer, ProducerConsumer, Stage};
pub use snapshot::Snapshot;
pub use stages::{
    Batching, Debounce, EventSink, Filter, FlatMap, ForEach, FromIter, FromStream, Half, Map, MapConcurrent,
    Merge, OnCancel, PartitionBy, SinkItems, Throttle, Zip, batch, debounce, filter, flat_map, for_each,
    from_iter, from_sink, from_stream, map, map_concurrent, map_concurrent_unordered, merge, partition_by,
    throttle, zip,
};
pub use stream::EventStream;
pub use summary::{StageSummary, Summary};
pub use supervisor::{ChildSpec, GaveUp, SuperviseError, SupervisedChild, Supervisor, SupervisorBuilder};
pub use task::{Spawn, StageRef, StartError, SubscribeError};

pub use watch::{EdgeSnapshot, PipelineSnapshot, StageSnapshot, StageState, Watch};

pub use subscription::{
    Cancel, CancelKind, Cancelled, Demand, DemandMode, DispatchOptions, Side, Stated, Subscribe, Subscription,
};
