use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::demand::WindowError;
use crate::dispatch::NotDispatched;
use crate::summary::{StageSummary, Summary};

/// What a handler fails with: any error, with the chain of its causes.
///
/// This is [`anyhow::Error`](https://docs.rs/anyhow), so that `?` accepts every [`std::error::Error`], `context`
/// works, and handlers can call code that already speaks anyhow.
pub use anyhow::Error;

/// What handlers and `main` return: `Ok(())`, or the [`Error`] that ends the stage.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why a stage ended.
///
/// GenStage's exit reasons, as values. A reason travels along the edges: a stage learns why its neighbour ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// The stage finished: it called [`Context::finish`](crate::Context::finish), its last producer or its last
    /// consumer finished, or nobody was left who could reach it.
    Normal,
    /// The stage was told to stop: another stage of its pipeline failed, or the running pipeline was dropped.
    Shutdown,
    /// A callback returned `Err`.
    Error(Arc<Error>),
    /// A callback panicked; the panic's message.
    Panic(Arc<str>),
    /// The stage had subscribed to a producer that does not exist any more.
    NoStage,
    /// A reason of the program's own. It counts as a failure.
    Custom(Arc<str>),
    /// The stage's task was ended from outside, for instance by the shutdown of the tokio runtime.
    Killed,
}

impl Reason {
    /// A reason of the program's own.
    #[must_use]
    pub fn custom(reason: impl Into<Arc<str>>) -> Self {
        Self::Custom(reason.into())
    }

    /// Whether the stage ended of itself, without failing and without being told to stop.
    #[must_use]
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Normal)
    }

    /// Whether this is a failure: anything but [`Reason::Normal`] and [`Reason::Shutdown`].
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::Normal | Self::Shutdown)
    }

    pub(crate) fn from_panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a panic without a message");
        Self::Panic(message.into())
    }
}

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        Self::Error(Arc::new(error))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::Error(error) => write!(f, "{error}"),
            Self::Panic(message) => write!(f, "panicked: {message}"),
            Self::NoStage => f.write_str("no such stage"),
            Self::Custom(reason) => f.write_str(reason),
            Self::Killed => f.write_str("killed"),
        }
    }
}

impl std::error::Error for Reason {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The error's own message is ours already: go on with its cause.
            Self::Error(error) => error.source(),
            _ => None,
        }
    }
}

/// Why a pipeline did not run to its end.
///
/// ```
/// use genstage::prelude::*;
/// use genstage::{Failure, Reason};
///
/// # #[tokio::main]
/// # async fn main() {
/// let ended = pipeline! {
///     parse = map(|text: &str| text.parse::<u64>().expect("a number"));
///     from_iter(["1", "two"]) => parse => for_each(|n: u64| println!("{n}"));
/// }
/// .run()
/// .await;
/// match ended {
///     Ok(summary) => println!("{summary}"),
///     Err(Failure::Stage { stage, reason: Reason::Panic(message), summary, .. }) => {
///         assert_eq!(&*stage, "parse");
///         println!("{stage} panicked: {message}\n{summary}");
///     }
///     Err(failure) => println!("{failure}"),
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The pipeline was not started: these options make no sense. Nothing has run.
    Refused(Vec<Refusal>),
    /// The pipeline was not started: `start` was called outside a tokio runtime. Nothing has run.
    NoRuntime,
    /// A stage failed; every other stage was stopped.
    Stage {
        /// The name of the stage that failed first.
        stage: Arc<str>,
        /// Why it failed.
        reason: Reason,
        /// What every stage had done by the time it ended.
        summary: Summary,
    },
    /// The pipeline was drained for no longer than a time, and had not ended by then: the rest was aborted.
    CutOff {
        /// How long it was drained.
        time: Duration,
        /// The names of the stages that had not ended.
        stages: Vec<Arc<str>>,
        /// What every stage did; what those discarded or lost was cut off.
        summary: Summary,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusals) => {
                f.write_str("the pipeline was not started")?;
                refusals
                    .iter()
                    .enumerate()
                    .try_for_each(|(i, refusal)| write!(f, "{} {refusal}", if i == 0 { ":" } else { ";" }))
            }
            Self::NoRuntime => {
                f.write_str("the pipeline was not started: call `run` or `start` within a tokio runtime")
            }
            Self::CutOff { time, stages, summary } => {
                write!(f, "the pipeline did not end within {time:?}")?;
                let cut_off = stages.iter().filter_map(|name| summary.stage(name));
                cut_off.enumerate().try_for_each(|(i, StageSummary { name, discarded, lost, .. })| {
                    let colon = if i == 0 { ":" } else { ";" };
                    write!(f, "{colon} stage `{name}` was cut off, with {discarded} events discarded and {lost} lost")
                })
            }
            Self::Stage { stage, reason, .. } => write!(f, "stage `{stage}` failed: {reason}"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The reason's own message stands in ours already: go on with its cause.
            Self::Stage { reason, .. } => reason.source(),
            _ => None,
        }
    }
}

/// One thing that [`Pipeline::start`](crate::Pipeline::start) refuses, with the edge or the node it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The demand options of an edge contradict each other.
    #[error("edge `{edge}`: {error}")]
    Demand {
        /// The edge, as `producer => consumer`.
        edge: String,
        /// What is wrong with its window.
        error: WindowError,
    },
    /// The producer's dispatcher refuses a consumer.
    #[error("edge `{edge}`: {error}")]
    Dispatch {
        /// The edge, as `producer => consumer`.
        edge: String,
        /// Why.
        error: NotDispatched,
    },
    /// A node has consumers, but not for all of its events.
    #[error("node `{node}`: {error}")]
    Unserved {
        /// The node's name.
        node: String,
        /// What is missing.
        error: NotDispatched,
    },
    /// A node was declared with `replicas: 0`.
    #[error("node `{node}`: expected replicas >= 1, got 0")]
    NoReplicas {
        /// The node's name.
        node: String,
    },
}
