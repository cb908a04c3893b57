//! Where and how a stage fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use genstage::{Error, Result};

/// Something of the user's that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Init,
    Demand,
    Events,
    Subscribe,
    /// Of a producer-consumer, to which a consumer has subscribed.
    Subscribed,
    Cancel,
    Call,
    Cast,
    Info,
    Timer,
    Discarded,
    Drain,
    Terminate,
    /// The state's destructor.
    Drop,
    /// Making a child.
    Start,
    /// A child itself.
    Child,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Error,
    Panic,
}

impl How {
    pub(crate) const ALL: [Self; 2] = [Self::Error, Self::Panic];

    /// The reason of a stage that failed so.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Error => "fault",
            Self::Panic => "panicked: fault",
        }
    }

    pub(crate) fn strike(self) -> Result {
        match self {
            Self::Error => Err(Error::msg("fault")),
            Self::Panic => panic!("fault"),
        }
    }
}

/// A point that fails so many times, and then no more; or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault(Option<Arc<Charge>>);

#[derive(Debug)]
struct Charge {
    point: Point,
    how: How,
    left: AtomicUsize,
}

impl Fault {
    pub(crate) fn at(point: Point, how: How, times: usize) -> Self {
        Self(Some(Arc::new(Charge { point, how, left: AtomicUsize::new(times) })))
    }

    /// Fails if it is this point that is to.
    pub(crate) fn reach(&self, point: Point) -> Result {
        let Some(charge) = self.0.as_ref().filter(|charge| charge.point == point) else { return Ok(()) };
        match charge.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => charge.how.strike(),
            Err(_) => Ok(()),
        }
    }

    /// As [`reach`](Self::reach), where nothing but a panic can be.
    pub(crate) fn panic(&self, point: Point) {
        assert!(self.reach(point).is_ok(), "fault");
    }

    /// Whether it has failed as often as it was to.
    pub(crate) fn is_spent(&self) -> bool {
        self.0.as_ref().is_none_or(|charge| charge.left.load(Relaxed) == 0)
    }
}
