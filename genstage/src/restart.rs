//! When a stage that has ended is begun anew, and how often.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::Reason;

/// When a stage is begun anew in place, with fresh state: the option `restart` of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Never: a stage that fails ends, and its neighbours learn of it. The default.
    #[default]
    Never,
    /// When a callback returned an error or panicked, or the stage stopped itself with a reason that is a failure.
    OnFailure,
    /// Also when it ended normally of itself: such a stage goes on until it is stopped or drained, or its neighbours have ended.
    Always,
}

impl Restart {
    /// Whether what ended of itself for that reason is begun anew.
    pub(crate) fn wants(self, reason: &Reason) -> bool {
        match self {
            Self::Never => false,
            Self::OnFailure => reason.is_failure(),
            Self::Always => true,
        }
    }

    pub(crate) fn is_possible(self) -> bool {
        self != Self::Never
    }
}

/// Waits so long before a restart.
pub(crate) async fn pause(wait: Duration) {
    match wait {
        // What fails again and again is not to keep others from running.
        Duration::ZERO => tokio::task::yield_now().await,
        wait => tokio::time::sleep(wait).await,
    }
}

/// Whose state is rebuilt when a stage is begun anew: the option `strategy` of a pipeline.
///
/// Only stages that have a `restart` other than `never` can be; the others go on as they are. Their subscriptions, what they have
/// queued and buffered, and what is in flight stand in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The stage that failed. The default.
    #[default]
    OneForOne,
    /// The stage that failed, and all that are declared after it.
    RestForOne,
    /// All.
    OneForAll,
}

/// How often stages may be begun anew: `max_restarts`, `within` and `backoff` of a pipeline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) max_restarts: usize,
    pub(crate) within: Duration,
    pub(crate) backoff: Duration,
}

impl Limit {
    /// GenStage's, and without a wait.
    pub(crate) const DEFAULT: Self =
        Self { max_restarts: 3, within: Duration::from_secs(5), backoff: Duration::ZERO };
}

impl Default for Limit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The restarts that there have been, as far as they count.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    limit: Limit,
    times: VecDeque<Instant>,
}

impl Restarts {
    pub(crate) fn new(limit: Limit) -> Self {
        Self { limit, times: VecDeque::new() }
    }

    /// One more is wanted: how long to wait before it, or nothing if there have been too many.
    ///
    /// The wait is `backoff`, and twice as long for each further restart that is within the same window, up to that window.
    pub(crate) fn one_more(&mut self, now: Instant) -> Option<Duration> {
        let Limit { max_restarts, within, backoff } = self.limit;
        while self.times.front().is_some_and(|time| now.duration_since(*time) > within) {
            self.times.pop_front();
        }
        if self.times.len() >= max_restarts {
            return None;
        }
        let doublings = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        self.times.push_back(now);
        Some(backoff.saturating_mul(2u32.saturating_pow(doublings)).min(within.max(backoff)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn so_many_within_so_long() {
        let limit = Limit { max_restarts: 2, within: seconds(10), backoff: Duration::ZERO };
        let (mut restarts, start) = (Restarts::new(limit), Instant::now());
        let allowed: Vec<_> = [0, 4, 10, 11, 14, 15, 22]
            .into_iter()
            .map(|at| restarts.one_more(start + seconds(at)).is_some())
            .collect();
        assert_eq!(allowed, [true, true, false, true, false, true, true]);
    }

    #[test]
    fn waits_double_while_failures_follow_one_another() {
        let limit = Limit { max_restarts: 100, within: seconds(60), backoff: seconds(1) };
        let (mut restarts, start) = (Restarts::new(limit), Instant::now());
        let waits: Vec<_> =
            [0, 1, 3, 100].into_iter().filter_map(|at| restarts.one_more(start + seconds(at))).collect();
        assert_eq!(waits, [1, 2, 4, 1].map(seconds));
        let waits = (0..90).filter_map(|_| restarts.one_more(start + seconds(100)));
        assert_eq!(waits.last(), Some(seconds(60)));
    }

    #[test]
    fn none_at_all() {
        let mut restarts = Restarts::new(Limit { max_restarts: 0, ..Limit::default() });
        assert_eq!(restarts.one_more(Instant::now()), None);
    }
}
