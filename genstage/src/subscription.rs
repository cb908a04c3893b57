use std::sync::atomic::{AtomicU64, Ordering};

use crate::demand::{Window, WindowError};
use crate::role::StageOptions;

/// Names one subscription, unlike any other of the process: messages of one that has ended never meet another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubscriptionId(u64);

impl SubscriptionId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What the end of one side of a subscription does to the other.
///
/// The last three are GenStage's and concern the consumer only; [`Cancel::Complete`] is ours, made for pipelines that
/// come to an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancel {
    /// The normal end of a consumer's last producer ends the consumer normally, after what it has queued; the normal end
    /// of a producer's last consumer ends the producer. Any other end of one stops the other with
    /// [`Reason::Shutdown`](crate::Reason::Shutdown). The default of edges in `pipeline!`.
    #[default]
    Complete,
    /// The consumer ends whenever the producer does, with the same reason.
    Permanent,
    /// The consumer ends, with the same reason, when the producer fails.
    Transient,
    /// The consumer goes on, whatever happens to the producer.
    Temporary,
}

/// The options of a subscription, as an edge of `pipeline!` states them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subscribe {
    max_demand: Option<usize>,
    min_demand: Option<usize>,
    pub(crate) cancel: Cancel,
}

impl Subscribe {
    /// Nothing stated: the consumer's own defaults, [`Cancel::Complete`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The most events that may be on their way over this subscription.
    #[must_use]
    pub fn max_demand(mut self, events: usize) -> Self {
        self.max_demand = Some(events);
        self
    }

    /// How few events may be outstanding before more are asked for.
    #[must_use]
    pub fn min_demand(mut self, events: usize) -> Self {
        self.min_demand = Some(events);
        self
    }

    /// What the end of one side does to the other.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// The window of a subscription with these options by a stage with those. An edge that states `max_demand` has
    /// stated the window: the stage's own `min_demand` belonged to the stage's own `max_demand`.
    pub(crate) fn window(&self, stage: &StageOptions) -> Result<Window, WindowError> {
        match self.max_demand {
            Some(max) => Window::new(Some(max), self.min_demand),
            None => Window::new(stage.max_demand, self.min_demand.or(stage.min_demand)),
        }
    }
}
