//! Stages that exchange events under back-pressure: GenStage for Rust.
//!
//! A **producer** is a source of events, a **consumer** is a sink, a **producer-consumer** stands in the middle. A consumer subscribes to
//! a producer and asks it for events; the producer emits what it was asked for. Demand flows upstream, events flow downstream, and nothing is
//! sent that was not asked for. That is back-pressure: a slow consumer slows its producers down, and memory is bounded whatever the speeds are.
//!
//! ```text
//! producer ─── events ──▶ producer-consumer ─── events ──▶ consumer
//!          ◀── demand ───                   ◀── demand ───
//! ```
//!
//! You write plain structs, each with [`#[stage(…)]`](macro@stage) on it and the trait of its role, and declare with [`pipeline!`] who
//! subscribes to whom. Every stage runs in a tokio task of its own. The compiler refuses stages in the wrong place and events of the wrong type.
//!
//! # A first pipeline
//!
//! ```toml
//! [dependencies]
//! genstage = { path = "genstage" } # or wherever that folder is: not on a registry yet
//! tokio = { version = "1", features = ["macros", "rt-multi-thread", "signal"] } # `signal` for Ctrl-C only
//! ```
//!
//! Lines come in, one reading a line; a line that is no number is left out:
//!
//! ```
//! use genstage::prelude::*;
//!
//! #[tokio::main]
//! async fn main() -> Result {
//!     let lines = ["21", "18", "?", "22"];
//!     let summary = pipeline! {
//!         from_iter(lines) => flat_map(|line: &str| line.parse::<u64>()) => for_each(|reading| println!("{reading}"));
//!     }
//!     .run()
//!     .await?;
//!     println!("{summary}");
//! #     let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).replace("//! ", "");
//! #     assert!(page.contains(&format!("22\n{summary}\n")), "{summary}");
//!     Ok(())
//! }
//! ```
//!
//! The source has an end, so the pipeline has one. `run` returns what every stage took in, sent out, discarded and lost, and why it ended:
//!
//! ```text
//! 21
//! 18
//! 22
//! stage        events in   events out  discarded   lost  ended
//! from_iter            0            4          0      0  normal
//! flat_map             4            3          0      0  normal
//! for_each             3            0          0      0  normal
//! ```
//!
//! # Stages of your own
//!
//! A stage that is only a function needs no struct. One that remembers something, waits for something, or can fail, is a struct with a role:
//!
//! | `#[stage(…)]` | trait | what you write |
//! |---|---|---|
//! | `producer` | [`Producer`] | `handle_demand`: so many events are wanted; emit them |
//! | `producer_consumer` | [`ProducerConsumer`] | `handle_events`: these have come; emit what becomes of them |
//! | `consumer` | [`Consumer`] | `handle_events`: these have come |
//! | `consumer_supervisor` | [`ConsumerSupervisor`] | `start_child`: an event has come; make the task that handles it |
//!
//! The same as above, from a file:
//!
//! ```
//! use std::io::{self, BufRead};
//!
//! use genstage::prelude::*;
//! use genstage::{Error, Reason};
//!
//! /// Reads lines, as many as are asked for. Reading blocks, so it gets a thread for it.
//! #[stage(producer, blocking)]
//! struct Lines<R> {
//!     lines: io::Lines<R>,
//! }
//!
//! impl<R: BufRead + Send + 'static> Producer for Lines<R> {
//!     type Event = String;
//!
//!     async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
//!         for _ in 0..demand {
//!             match self.lines.next() {
//!                 Some(line) => cx.emit(line?),
//!                 None => {
//!                     cx.finish();
//!                     break;
//!                 }
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! /// Parses readings, one a line, and leaves out lines that are none.
//! #[stage(producer_consumer)]
//! #[derive(Default)]
//! pub struct Parse {
//!     rejected: u64,
//! }
//!
//! impl ProducerConsumer for Parse {
//!     type Input = String;
//!     type Output = u64;
//!
//!     async fn handle_events(&mut self, lines: &mut Batch<String>, cx: &mut Context<Self>) -> Result {
//!         for line in lines.drain() {
//!             if line.contains('\0') {
//!                 return Err(Error::msg("not a text"));
//!             }
//!             match line.parse() {
//!                 Ok(reading) => cx.emit(reading),
//!                 Err(_) => self.rejected += 1,
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! /// Adds up readings, and says in the end what their mean is.
//! #[stage(consumer, max_demand = 100)]
//! #[derive(Default)]
//! struct Mean {
//!     sum: u64,
//!     count: u64,
//! }
//!
//! impl Consumer for Mean {
//!     type Event = u64;
//!
//!     async fn handle_events(&mut self, readings: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
//!         self.count += readings.len() as u64;
//!         self.sum += readings.drain().sum::<u64>();
//!         Ok(())
//!     }
//!
//!     async fn terminate(&mut self, _: &Reason) {
//!         println!("{} readings, {} on the average", self.count, self.sum / self.count.max(1));
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result {
//!     // In a program of yours: io::BufReader::new(std::fs::File::open("readings.txt")?)
//!     let input = "21\n18\n?\n22\n".as_bytes();
//!     let app = pipeline! {
//!         lines = Lines { lines: input.lines() };
//!         parse = Parse::default();
//!         mean  = Mean::default();
//!
//!         lines => parse => mean;
//!     };
//! #     is_drawn(app.graph(), include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")), 1);
//! #     let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).replace("//!", "").replace("\n ", "\n");
//! #     let testing = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/readings.rs"));
//! #     assert!(testing.split("\n\n/// ").skip(1).take(1).all(|parse| page.contains(parse)));
//!     app.run().await?;
//!     Ok(())
//! }
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/picture.rs"));
//! ```
//!
//! ```text
//! lines ──1000──▶ parse ──100──▶ mean
//! ```
//!
//! A handler has its stage for itself: one callback at a time, and `&mut self`. It may await. What it emits is sent when it has returned: so `Lines`
//! is for files, and what comes when it comes, from a terminal or a socket, is for [`from_stream`]: see
//! [Sources that can wait](guide::where_events_wait#sources-that-can-wait).
//!
//! # Demand, ends, failures
//!
//! * **Demand.** `mean` asks for 100 readings at first, and for 50 more whenever it has handled 50: so at most 100 are on their way to it,
//!   in batches of at most 50. 1000 is what a stage or an edge has that states nothing; `[max_demand: 10]` behind a consumer states it for one edge.
//!   What is not wanted is not read: while `mean` is busy, `parse` waits, and then `lines` does.
//!   → [Demand in numbers](guide::demand_in_numbers)
//! * **Who gets what.** Several consumers of one producer share its events, each gets a copy of all, or each gets those of its partition: the
//!   producer's `dispatcher`. `replicas: 4` behind a node makes four of a stage. → [Who gets which event](guide::who_gets_which_event)
//! * **Ends.** A stage ends when it [finishes](Context::finish), and a consumer when its last producer has, after everything that was on its way.
//!   [`run_until`](Pipeline::run_until)`(tokio::signal::ctrl_c())` ends a pipeline that would go on for ever, without losing anything.
//! * **Failures.** A handler that returns an error or panics ends the whole pipeline, and [`Failure`] names the stage and the cause: here
//!   `` stage `parse` failed: not a text ``. With `restart: on_failure` behind its node the stage goes on with fresh state, and its neighbours notice
//!   nothing. → [Ends and failures](guide::ends_and_failures)
//! * **Talking to a stage.** [`start`](Pipeline::start) in place of `run` gives handles: `app.parse` is a [`StageRef`], and `app.parse.call(Rejected).await?`
//!   asks what `impl Call<Rejected> for Parse` answers; see [`Call`], [`Cast`], [`Info`], and timers: [`Context::send_after`], [`Context::interval`].
//!   What a stage has found out leaves it that way, or through a channel, or as an [event](StageRef::into_stream).
//! * **Without a pipeline.** [`Spawn::spawn`] runs a stage on its own; its [`StageRef`] subscribes it to others and cancels, at run time. A
//!   [`Supervisor`] keeps stages and tasks running.
//!
//! # The guide
//!
//! This page is ten minutes; the chapters, which go on with its example, are the rest of an hour.
//!
//! | | |
//! |---|---|
//! | [Demand in numbers](guide::demand_in_numbers) | asks and batches, one by one; how much memory; which window |
//! | [Who gets which event](guide::who_gets_which_event) | replicas, broadcasts, partitions, and what becomes of the order |
//! | [Where events wait](guide::where_events_wait) | buffers, queues, sources that cannot wait, and what is dropped when |
//! | [Ends and failures](guide::ends_and_failures) | what ends what, draining, restarts, and the account of what was lost |
//! | [Building blocks](guide::building_blocks) | batches, concurrent work, retries, rates, pairs, order by key: ready-made |
//! | [Testing your stages](guide::testing_your_stages) | from an empty file to a tested middle stage |
//! | [Watching a pipeline](guide::watching_a_pipeline) | which figure answers which question |
//! | [Tuning](guide::tuning) | which knob for which symptom |
//! | [Coming from channels and streams](guide::coming_from_channels_and_streams) | tokio's channels and `futures::Stream`, side by side; bridges both ways |
//! | [Coming from Elixir](guide::coming_from_elixir) | GenStage's words, and where they are here |
//!
//! "Outgrowing one machine" is the documentation of the crate `genstage-nats`: the same stages on several machines, over NATS JetStream.
//!
//! [`pipeline!`] and [`#[stage]`](macro@stage) are the reference; [`telemetry`] has all that is traced and measured.
//!
//! # When not to use stages
//!
//! * **For order in the code.** A function that calls a function needs no stage: every stage is a task, and every edge messages between tasks.
//!   Stages are there to run at the same time, to hold one another back, and to fail one by one. Where you want them all the same, fuse them: `a |> b`
//!   shares a task.
//! * **For one question and its answer.** Call a function; or send a channel's task a request. A pipeline has a direction.
//! * **For two tasks and a queue.** A bounded `tokio::sync::mpsc` channel is less to learn, and one of batches, which you cut yourself, a fifth
//!   faster (`docs/performance.md`).
//! * **For arithmetic over data that is in memory.** Use `rayon`: nothing has to be held back.
//! * **For events that may not be lost.** Events are in memory. If the process dies they are gone, and the batch of a handler that fails is not tried
//!   again. Acknowledge to the source what has come through, or keep a log; see [what is lost](guide::ends_and_failures). Between pipelines,
//!   `genstage-nats` is such a log.
//! * **By event time.** There are no windows by time stamps, no joins, no checkpoints.
//! * **In a circle.** A topology has no cycles. What is to go back upstream goes by [`cast`](StageRef::cast).
//! * **Without tokio,** or without threads to spare for a build: with `--release` each stage costs about a second to compile.
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
pub mod remote;
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
