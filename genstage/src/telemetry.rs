//! Everything that genstage tells [`tracing`](https://docs.rs/tracing), under the target `genstage`.
//!
//! | level | message | fields | when |
//! |---|---|---|---|
//! | debug span | `stage` | `stage` | around everything a stage does: what its callbacks trace stands in it |
//! | debug | `started` | `stage`, `role` | a stage runs |
//! | debug | `ended` | `stage`, `reason` | it has ended, not for a failure |
//! | error | `failed` | `stage`, `reason` | it has ended for a failure that no restart heals |
//! | warn | `begun anew` | `stage`, `reason` | it has failed, or ended, and is begun anew |
//! | warn | `the buffer is full: events discarded` | `stage`, `events` | and `on_discarded` did not say otherwise |
//! | warn | `unknown partition: event discarded` | `partition`, `partitions` | a partition function names one that there is not |
//! | warn | `a consumer asks for more than the dispatcher expects` | `demand`, `max_demand` | `DemandDispatcher::max_demand` |
//! | warn | `a callback takes long` | `stage`, `seconds` | option `warn_after`: once for each callback |
//! | warn | `a producer waits for demand` | `from`, `to`, `seconds` | option `warn_after`: once for each wait |
//! | warn | `the state that is replaced, or an event, panicked while it was dropped` | `stage` | in a restart |
//! | warn | `a child failed` | `child`, `reason` | of a supervisor; its restarts are `begun anew` with `child`. Of a `ConsumerSupervisor`, without `child` |
//! | warn | `deliveries are not settled` | `error` | of an engine on another machine: they come again |
//! | warn | `no thread for the clock` | `error` | nobody's busy time is measured |
//!
//! With the feature `metrics`, [`Watch::record_metrics`](crate::Watch) tells the facade of that name these, of each stage by the labels
//! `pipeline` and `stage`:
//!
//! | counter or gauge | |
//! |---|---|
//! | `genstage_callbacks_total` | callbacks called |
//! | `genstage_events_in_total`, `genstage_events_out_total` | events handed to its event handler, and sent to its consumers |
//! | `genstage_discarded_total`, `genstage_lost_total` | events that nobody sees: by a stated policy, and for a failure |
//! | `genstage_restarts_total` | how often it was begun anew |
//! | `genstage_buffered`, `genstage_mailbox` | events that nobody wants yet, and messages that it has not looked at |
//! | `genstage_busy_share` | from 0 to 1: the share of the last period that it was in callbacks |
//!
//! and these of each edge, by the labels `pipeline`, `from` and `to`:
//!
//! | counter or gauge | |
//! |---|---|
//! | `genstage_edge_sent_total`, `genstage_edge_handled_total` | events sent, and handled by the consumer |
//! | `genstage_edge_outstanding` | demand that the producer has not met |
//! | `genstage_edge_in_flight` | events sent and not handled |
//!
//! `stage`, `from` and `to` are names: a node's in `pipeline!`, with `[i]` behind it for a replica. The span costs nothing where it is
//! not enabled, and something for each time a stage is woken where it is: that is why it is of level debug.
//!
//! To see warnings and failures only, with `tracing-subscriber` and its `EnvFilter`: `RUST_LOG=genstage=warn`. To see stages come and go:
//! `RUST_LOG=genstage=debug`.

use std::fmt::Display;
use std::time::Duration;

use tracing::{Span, debug, debug_span, error, warn};

use crate::role::Kind;
use crate::{Error, Reason};

/// The target of all events and spans.
pub const TARGET: &str = "genstage";

pub(crate) fn span(stage: &str) -> Span {
    debug_span!(target: TARGET, "stage", stage)
}

pub(crate) fn started(stage: &str, role: Kind) {
    debug!(target: TARGET, stage, ?role, "started");
}

pub(crate) fn not_settled(error: &Error) {
    warn!(target: TARGET, error = format!("{error:#}"), "deliveries are not settled");
}

pub(crate) fn ended(stage: &str, reason: &Reason) {
    match reason.is_failure() {
        true => error!(target: TARGET, stage, %reason, "failed"),
        false => debug!(target: TARGET, stage, %reason, "ended"),
    }
}

pub(crate) fn begun_anew(stage: &str, reason: &Reason) {
    warn!(target: TARGET, stage, %reason, "begun anew");
}

pub(crate) fn discarded(stage: &str, events: usize) {
    warn!(target: TARGET, stage, events, "the buffer is full: events discarded");
}

pub(crate) fn unknown_partition(partition: usize, partitions: usize) {
    warn!(target: TARGET, partition, partitions, "unknown partition: event discarded");
}

pub(crate) fn asks_for_more(demand: usize, max_demand: usize) {
    warn!(target: TARGET, demand, max_demand, "a consumer asks for more than the dispatcher expects");
}

pub(crate) fn slow_callback(stage: &str, time: Duration) {
    warn!(target: TARGET, stage, seconds = time.as_secs_f64(), "a callback takes long");
}

pub(crate) fn waits_for_demand(from: &str, to: &str, time: Duration) {
    warn!(target: TARGET, from, to, seconds = time.as_secs_f64(), "a producer waits for demand");
}

pub(crate) fn panicked_in_drop(stage: &str) {
    warn!(target: TARGET, stage, "the state that is replaced, or an event, panicked while it was dropped");
}

pub(crate) fn child_failed(child: &str, reason: &Reason) {
    warn!(target: TARGET, child, %reason, "a child failed");
}

pub(crate) fn child_of_event_failed(reason: &Reason) {
    warn!(target: TARGET, %reason, "a child failed");
}

pub(crate) fn child_begun_anew(child: &str, reason: impl Display) {
    warn!(target: TARGET, child, %reason, "begun anew");
}

pub(crate) fn no_clock(error: &std::io::Error) {
    warn!(target: TARGET, %error, "no thread for the clock");
}
