//! The macros of genstage. Use them through the crate `genstage`, which documents them.

mod names;
mod pipeline;
mod rebase;
mod report;
mod stage;
#[cfg(test)]
mod tests;
mod value;
mod window;

use proc_macro::TokenStream;

/// Makes a struct a stage.
///
/// ```text
/// #[stage(ROLE, OPTION = VALUE, …)]
/// ```
///
/// | role                | to be implemented                                  |
/// |---------------------|----------------------------------------------------|
/// | `producer`          | [`Producer`](trait.Producer.html)                  |
/// | `producer_consumer` | [`ProducerConsumer`](trait.ProducerConsumer.html)  |
/// | `consumer`          | [`Consumer`](trait.Consumer.html)                  |
/// | `consumer_supervisor` | [`ConsumerSupervisor`](trait.ConsumerSupervisor.html) |
///
/// | option        | of                            | default                           | meaning |
/// |---------------|-------------------------------|-----------------------------------|---------|
/// | `buffer_size` | `producer`, `producer_consumer` | `10_000`; for `producer_consumer` `unbounded` | how many events may wait that nobody has asked for, at least 1, or `unbounded` |
/// | `buffer_keep` | `producer`, `producer_consumer` | `last`                          | which events stay when the buffer overflows: `first` or `last` |
/// | `dispatcher`  | `producer`, `producer_consumer` | `demand`                          | who gets which event; see below |
/// | `demand`      | `producer`                      | `forward`                         | `accumulate`: consumers' demand is kept until [`StageRef::set_demand`](struct.StageRef.html#method.set_demand) |
/// | `max_demand`  | `producer_consumer`, `consumer` | `1000`                          | how many events may be on their way over one subscription, at least 1 |
/// | `min_demand`  | `producer_consumer`, `consumer` | `max_demand / 2`                | how few may be left before more are asked for, below `max_demand` |
/// | `restart`     | `consumer_supervisor`           | `temporary`                     | `transient`: a child that fails is begun anew, from a clone of its event |
/// | `max_restarts`, `within` | `consumer_supervisor` | `3`, `Duration::from_secs(5)`   | one restart more than that within that time ends the stage |
/// | `shutdown`    | `consumer_supervisor`           | `Duration::from_secs(5)`        | how long a child may take to end when it is told to, or `abort`, or `unbounded` |
///
/// A `consumer_supervisor` has the demands of a `consumer`, too.
///
/// The word `blocking`, without a value, says of any other stage that the callbacks may block: each runs in a thread for blocking work, and the runtime's
/// own threads stay free. Nothing else about the stage changes, but that a callback which has begun is waited for when the
/// pipeline stops. Such a call costs a switch of threads or two; see
/// [`spawn_blocking`](https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html) for how many threads there are.
///
/// `crate = path` is for those who reach this crate by another path than `::genstage`: `crate = my_prelude::genstage`. `pipeline!` has
/// an item `crate = path;` for it.
///
/// # Dispatchers
///
/// * `demand`, or `demand(max_demand = n, shuffle = seed)`: each event to the consumer with the largest outstanding demand;
///   see [`DemandDispatcher`](struct.DemandDispatcher.html).
/// * `broadcast`: each event to every consumer, at the pace of the slowest; events are `Clone`. An edge may state a
///   `selector`. See [`BroadcastDispatcher`](struct.BroadcastDispatcher.html).
/// * `partition(n)`, `partition(n, by = key)`, `partition(n, index = function)`, each with `queue_size = m` if need be: each
///   event to the consumer of its partition, by the stable hash of the event or of its key, or by a function that gives the
///   partition's number, or `None` to discard the event. An edge states its `partition`, or the replicas of its consumer are
///   the partitions. See [`PartitionDispatcher`](struct.PartitionDispatcher.html).
/// * `partition([Enum::A, Enum::B], by = key)`: the partitions are the values of an enum without fields, all of which are
///   listed; `key` gives the one that an event is for, or an `Option` of it, where `None` discards the event. The enum is `Debug`.
/// * the path of a type that implements [`Dispatcher`](trait.Dispatcher.html), or a call of one of its functions:
///   `RoundRobin`, `RoundRobin::new(3)`.
///
/// # Values
///
/// Values are constants, which may use the struct's parameters; the two demands are the default for subscriptions that
/// state none themselves. Where a value depends on the stage, it may use `self`: `buffer_size = self.size`; then it is
/// checked when the stage starts. The struct may be generic: it is a stage wherever the role's trait is implemented for it. It owns
/// its data: lifetime parameters are refused.
///
/// ```
/// use genstage::prelude::*;
///
/// #[stage(consumer, max_demand = 10)]
/// struct Collect<T> {
///     seen: Vec<T>,
/// }
///
/// impl<T: Send + 'static> Consumer for Collect<T> {
///     type Event = T;
///
///     async fn handle_events(&mut self, events: &mut Batch<T>, _: &mut Context<Self>) -> Result {
///         self.seen.extend(events.drain());
///         Ok(())
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn stage(args: TokenStream, item: TokenStream) -> TokenStream {
    stage::stage(args.into(), item.into()).into()
}

/// Declares a pipeline: its stages, and which of them subscribes to which.
///
/// Yields a [`Pipeline`](struct.Pipeline.html), checked and wired, to be [`run`](struct.Pipeline.html#method.run) or
/// [`start`](struct.Pipeline.html#method.start)ed.
///
/// ```
/// # use genstage::prelude::*;
/// # #[stage(producer)]
/// # struct Counter { next: u64 }
/// # impl Producer for Counter {
/// #     type Event = u64;
/// #     async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
/// #         cx.emit_all(self.next..self.next + demand as u64);
/// #         cx.finish();
/// #         Ok(())
/// #     }
/// # }
/// # #[stage(consumer)]
/// # struct Printer;
/// # impl Consumer for Printer {
/// #     type Event = u64;
/// #     async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result { Ok(()) }
/// # }
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let app = pipeline! {
///     counter = Counter { next: 0 };          // a node: a name and an expression
///     printer = Printer, replicas: 2;         // and options behind it
///
///     counter => map(|n| n * 2) => printer [max_demand: 100, min_demand: 50];
/// };
/// assert_eq!(app.printer[1].name(), "printer[1]");
/// app.run().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Nodes
///
/// `name = expression;` with options behind the expression, each after a comma. The expression is evaluated where the
/// macro stands, so it may use locals, `?` and `.await`. `app.name` is the node's [`StageRef`](struct.StageRef.html).
///
/// Attributes may stand in front: `#[cfg(…)]` leaves out the node, and its edges with it; documentation goes on its handle; others, such
/// as `#[allow(…)]`, go on the statement that evaluates the expression.
///
/// * `replicas: n`: that many stages of the kind, each from its own evaluation of the expression, in a closure: so it can
///   borrow locals but not move them, and `?` and `.await` have no place in it. `app.name` is an array of handles if `n` is an integer literal, and a `Vec` otherwise. Producers share what goes to the replicas of a
///   consumer by their dispatcher.
/// * `open`: the stage's output need not be connected, because others subscribe to it by its handle:
///   [`StageRef::into_stream`](struct.StageRef.html#method.into_stream), [`StageRef::subscribe`](struct.StageRef.html#method.subscribe).
///   It does not end with its last consumer. A stage that nobody can reach any more ends, so keep the handle: `start` the pipeline.
/// * `restart: never | on_failure | always`: whether the stage is begun anew, in place, when it has failed, or has ended at all;
///   see below.
///
/// ```
/// # use genstage::prelude::*;
/// #[derive(Debug)]
/// enum Parity { Even, Odd }
///
/// fn parity(n: &u64) -> Parity {
///     if n % 2 == 0 { Parity::Even } else { Parity::Odd }
/// }
///
/// #[stage(producer_consumer, dispatcher = partition([Parity::Even, Parity::Odd], by = parity))]
/// struct Split;
///
/// impl ProducerConsumer for Split {
///     type Input = u64;
///     type Output = u64;
///
///     async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
///         cx.emit_all(events.drain());
///         Ok(())
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let app = pipeline! {
///     split = Split;
///     evens = for_each(|n| assert_eq!(n % 2, 0));
///     odds  = for_each(|n| assert_eq!(n % 2, 1));
///
///     from_iter(0..100) => split => { evens [partition: Parity::Even], odds [partition: Parity::Odd] };
/// };
/// app.run().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Edges
///
/// `a => b => c;` where the stage on the right of an arrow subscribes to the one on its left. In place of a name may
/// stand
///
/// * a call that makes a stage, `map(|n| n + 1)`: a node without a name of its own;
/// * a group, `{ b, c }`: fan-out to, or fan-in from, everything in it;
/// * stages that are fused, `b |> c`, alone or in a group: see below.
///
/// Options of a subscription stand in brackets behind its consumer:
///
/// * `max_demand: n`: how many events may be on their way over this edge; the consumer's own default, or 1000;
/// * `min_demand: n`: how few may be left before more are asked for; `max_demand / 2`;
/// * `rate: Rate::per_second(n)`, or `Rate::new(n, time)`: how many events come over this edge at most in that time; no limit;
/// * `cancel: complete | permanent | transient | temporary`: what the end of one side does to the other. `complete`, the
///   default: the normal end of a consumer's last producer ends the consumer, after what it has queued, and the normal
///   end of a producer's last consumer ends the producer. The others are GenStage's: the consumer ends with its producer,
///   whatever the reason; only if the producer failed; never.
/// * `partition: n`: of a producer with a partition dispatcher, the partition that the consumer is for; replicas have the
///   partitions of their own numbers if it is not stated. Or `partition: Enum::A`, if the partitions are the values of an enum:
///   then each value needs its consumer, and the compiler names the one that has none. (A constant in that place, such as
///   `Config::FIRST`, goes in braces, so that it is not taken for a value of an enum.)
/// * `selector: |event| …`: of a producer with a broadcast dispatcher, which events the consumer wants. Where the closure looks into the
///   event, name its type: `|order: &Order| order.total > 100`.
///
/// # Fused edges
///
/// `a |> b` makes one stage of two: they share a task, and `b` handles what `a` emits as soon as the callback of `a` has returned. No
/// message is sent between them and no demand is asked for, so dividing the work into stages costs nothing; in exchange they take
/// turns. `|>` binds tighter than `=>`, and joins any number of stages.
///
/// ```
/// # use genstage::prelude::*;
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let app = pipeline! {
///     parse = map(|line: &str| line.parse::<u64>());
///     check = filter(|number: &Result<u64, _>| number.is_ok());
///
///     from_iter(["1", "two", "3"]) => parse [max_demand: 100] |> check => for_each(|number| println!("{number:?}"));
/// };
/// assert_eq!(app.check.name(), "check");
/// let summary = app.run().await?;
/// assert_eq!(summary.stage("parse |> check").map(|both| (both.events_in, both.events_out)), Some((3, 2)));
/// # Ok(())
/// # }
/// ```
///
/// The same stages stand there as would over `=>`, and the same events come in the same order. What differs:
///
/// * The two are one in summaries, in [`graph`](struct.Pipeline.html#method.graph), and to their neighbours: `parse |> check`. A failure
///   names the part. They begin anew as one; what one of them states as `replicas` or `restart` holds for both. If one of them is
///   `blocking`, both are.
/// * Each part has its own handle, for calls, casts, infos; what else is done by it, such as stopping, is done to the whole. The first
///   one's can be [`subscribe`](struct.StageRef.html#method.subscribe)d to producers, the last one's events be subscribed to, if it is
///   `open`.
/// * The window of the edge before them, behind the first part, says how many events come to the first part at a time. What it emits
///   comes to the next one as it is, unless that one's `#[stage]` states a window: then in batches of that size.
/// * Who gets which event, and what is buffered, is up to the last part. A dispatcher of another one may not divide events.
/// * A source is asked for what is wanted of the last part, at most for a window of the part behind it (1000, if its `#[stage]` states
///   none) at a time, and again for what that part has left out. What it emits that nobody wants stays between the parts, as many as
///   its own `buffer_size` says.
/// * The parts learn of each other by `handle_subscribe`, and of the normal end by `handle_cancel`; that one asks by hand has no effect
///   between them. If they end in any other way, `terminate` is called, of each.
///
/// One `=>` is needed, or an `open` output: without it nothing asks for events, and nothing bounds them. A consumer supervisor cannot
/// be fused.
///
/// # Restarts
///
/// A stage with `restart: on_failure` whose callback returns an error or panics gets fresh state, from another evaluation of its
/// node's expression, and goes on: its handle, its subscriptions, what it has queued, buffered and been asked for stand, and its
/// neighbours notice nothing. Lost, and counted, are the batch that was with the callback and what that call had emitted. What the
/// failed instance was asked for and had not emitted goes to the new one's `handle_demand`. The new one runs `init`, and its
/// subscribe callbacks for the subscriptions that there are; `terminate` runs once for each instance; timers end with the instance
/// that set them. A failing `init` is a failure like any other. (Panics are caught as long as they unwind, which is the default of
/// Cargo's `panic`.) `restart: always` begins anew also after a normal end of the
/// stage's own; the end of its neighbours, and [`StageRef::stop`](struct.StageRef.html#method.stop), end it all the same.
///
/// Options of the whole pipeline stand in an item of their own:
///
/// * `strategy: one_for_one | rest_for_one | one_for_all`: whose state is rebuilt when a stage fails: its own, also that of those
///   declared after it, or that of all; of stages that have a `restart`;
/// * `max_restarts: 3` and `within: Duration::from_secs(5)`: one restart more than that within that time, all stages together, and
///   the pipeline fails with the stage and the reason that were one too many;
/// * `backoff: Duration::ZERO`: how long to wait before a restart, twice as long for each further one, up to `within`;
/// * `warn_after: Duration::from_secs(1)`, which has nothing to do with restarts: see below.
///
/// The expression is evaluated in a closure that owns the locals which it uses: one that gives a local away can do so only once,
/// which the compiler says. Clone what is shared, and clone before the pipeline what is used elsewhere, too:
///
/// ```
/// # use genstage::prelude::*;
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # #[stage(consumer)]
/// # struct Store { names: Arc<Vec<String>> }
/// # impl Consumer for Store {
/// #     type Event = usize;
/// #     async fn handle_events(&mut self, _: &mut Batch<usize>, _: &mut Context<Self>) -> Result { Ok(()) }
/// # }
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let names = Arc::new(vec!["to".to_owned(), "be".to_owned()]);
/// let shared = names.clone();
/// let app = pipeline! {
///     max_restarts: 10, within: Duration::from_secs(60), backoff: Duration::from_millis(100);
///
///     store = Store { names: shared.clone() }, restart: on_failure;
///
///     from_iter(0..names.len()) => store;
/// };
/// app.run().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Warnings
///
/// `warn_after: Duration`, an option of the whole pipeline, is off by default. It warns by `tracing` once for each callback that runs
/// for longer than that, and once for each wait of a producer for demand that lasts longer, by edge. A producer is not warned of before
/// it has sent something over that edge. Awaiting in a callback is part of it, so leave room for what may wait that long:
///
/// ```
/// # use genstage::prelude::*;
/// # use std::time::Duration;
/// # #[tokio::main]
/// # async fn main() -> Result {
/// pipeline! {
///     warn_after: Duration::from_secs(10);
///
///     from_iter(0..3) => for_each(|n: u64| println!("{n}"));
/// }
/// .run()
/// .await?;
/// # Ok(())
/// # }
/// ```
///
/// One task for the whole pipeline looks four times in that time, and at most every millisecond. So a callback that never yields is
/// noticed only on a runtime with other threads. The warnings and their fields are in
/// [`telemetry`](telemetry/index.html).
///
/// # Pipelines as functions
///
/// A pipeline without its handles has a type to name, so a function can make one, and hand it over together with the handles that
/// others need. An `open` output is where they go on:
///
/// ```
/// use genstage::prelude::*;
/// use genstage::{Cancel, FromIter, Pipeline, StageRef, Subscribe};
///
/// type Numbers = FromIter<std::ops::Range<u64>>;
///
/// /// The numbers below `end`.
/// fn numbers(end: u64) -> (Pipeline, StageRef<Numbers>) {
///     let (pipeline, handles) = pipeline! { numbers = from_iter(0..end), open; }.into_parts();
///     (pipeline, handles.numbers)
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let (input, numbers) = numbers(1000);
/// let printer = for_each(|n: u64| println!("{n}")).spawn();
/// printer.subscribe(&numbers, Subscribe::new().cancel(Cancel::Complete)).await?;
///
/// let summary = input.run().await?;
/// assert_eq!(summary.stage("numbers").map(|numbers| numbers.events_out), Some(1000));
/// # Ok(())
/// # }
/// ```
///
/// # Grammar
///
/// ```text
/// pipeline = { item }
/// item     = root | options | node | chain
/// root     = "crate" "=" path ";"
/// options  = option { "," option } [ "," ] ";"
/// node     = { attribute } name "=" expression { "," option } [ "," ] ";"
/// chain    = group { "=>" group } ";"                (* with a "=>" or a "|>" in it *)
/// group    = target | "{" target { "," target } [ "," ] "}"
/// target   = stage [ "[" option { "," option } [ "," ] "]" ] { "|>" stage }
/// stage    = name | path "(" arguments ")"
/// option   = word ":" expression | word
/// ```
///
/// | rule      | for instance |
/// |-----------|--------------|
/// | `root`    | `crate = my_prelude::genstage;` |
/// | `options` | `strategy: one_for_all, max_restarts: 5;` |
/// | `node`    | `#[cfg(unix)] source = Source::new(&path), restart: on_failure;` |
/// | `chain`   | `source => parse => store;` |
/// | `group`   | `{ a, b } => merged;` |
/// | `target`  | `source => store [max_demand: 10, cancel: temporary];`, `source => parse [max_demand: 10] \|> check => store;` |
/// | `stage`   | `source => map(\|n\| n + 1) => store;` |
/// | `option`  | `replicas: 4`, `open` |
///
/// Items may come in any order; edges may come before the nodes that they name.
///
/// # What is refused
///
/// While compiling: a node in a position that its role does not have, events of another type than the consumer takes, a
/// node that is not connected, unknown and duplicate names, an edge declared twice, cycles, fused stages without an edge, unknown options, demands that make no sense where
/// they are literals. By `start`: other demands, and `replicas: 0`.
#[proc_macro]
pub fn pipeline(input: TokenStream) -> TokenStream {
    pipeline::pipeline(input.into()).into()
}
