//! Stages made of two, which share a task: `a |> b` of `pipeline!`.
//!
//! The second part is called with what the first has emitted, when that has returned. So nothing waits between them, but
//! for one case: what a source emits that nobody wants stays there, as in the buffer of a producer.

mod flow;
mod meet;
mod part;
mod role;
mod route;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Context;
use crate::buffer::{Capacity, Keep};
use crate::demand::{DEFAULT_MAX_DEMAND, Window};
use crate::role::{Kind, Role, Runnable, Stage, StageOptions};
use crate::subscription::SubscriptionId;
use crate::{Error, Result};
use part::Part;
pub(crate) use role::FusedRole;
pub(crate) use route::handles;

/// What stands between the names of two parts in that of the whole.
const FUSED: &str = " |> ";

/// The name of the whole.
pub(crate) fn name(first: &str, second: &str) -> Arc<str> {
    format!("{first}{FUSED}{second}").into()
}

/// The names of all parts.
pub(crate) fn parts(whole: &str) -> impl Iterator<Item = &str> {
    whole.split(FUSED)
}

/// The names of the two parts.
fn names(whole: &str) -> [Arc<str>; 2] {
    let (first, second) = whole.split_once(FUSED).unwrap_or((whole, whole));
    [first.into(), second.into()]
}

/// Two stages as one: the second takes in what the first emits. Either may be of two itself.
pub struct Fused<A: Stage, B: Stage> {
    first: Part<A>,
    second: Part<B>,
    /// What the first part has emitted and the second has not had yet.
    between: VecDeque<A::Give>,
    /// How many events are with the second part.
    lent: usize,
    /// An emptied buffer.
    spare: Vec<A::Give>,
    /// Of a source: what the first part was asked for and has not emitted.
    owed: usize,
    /// How many events the first part has emitted in this callback.
    passed: usize,
    terms: Terms,
    /// What stands for a subscription, while both parts go on.
    edge: Option<SubscriptionId>,
    /// The part whose callback runs, or has failed.
    at: Option<At>,
}

#[derive(Clone, Copy)]
enum At {
    First,
    Second,
}

/// What the options of the parts come to.
#[derive(Clone, Copy)]
struct Terms {
    /// How much the first part is asked for at most: the second one's window.
    window: usize,
    /// How many events the second part takes at a time.
    batch: usize,
    /// How many events stay between the parts of a source, and which.
    capacity: usize,
    keep: Keep,
}

impl Default for Terms {
    fn default() -> Self {
        let keep = Keep::default();
        Self { window: DEFAULT_MAX_DEMAND, batch: usize::MAX, capacity: usize::MAX, keep }
    }
}

impl<A: Stage, B: Stage> Fused<A, B> {
    pub(crate) fn new(first: A, second: B) -> Self {
        let terms = Terms::default();
        Self {
            first: Part::new(first),
            second: Part::new(second),
            between: VecDeque::new(),
            lent: 0,
            spare: Vec::new(),
            owed: 0,
            passed: 0,
            terms,
            edge: None,
            at: None,
        }
    }
}

impl<A: Runnable, B: Runnable<Take = A::Give>> Fused<A, B> {
    const KIND: Kind = match (A::Role::KIND, B::Role::KIND) {
        (Kind::Producer, _) => Kind::Producer,
        (_, last) => last,
    };
    const IS_SOURCE: bool = matches!(Self::KIND, Kind::Producer);

    /// Before the first callback: what depends on the parts' state and on where they are.
    fn begin(&mut self, cx: &Context<Self>) -> Result {
        let (first, second) = (self.first.state.options(), self.second.state.options());
        first.check()?;
        let window = Window::new(second.max_demand, second.min_demand).map_err(Error::from)?;
        let is_stated = second.max_demand.or(second.min_demand).is_some();
        let capacity = match first.capacity(A::Role::KIND) {
            Capacity::Events(events) => events,
            Capacity::Unbounded => usize::MAX,
        };
        let batch = if is_stated { window.batch_size() } else { usize::MAX };
        self.terms = Terms { window: window.bounds().0, batch, capacity, keep: first.buffer_keep };
        let (first, second) = route::contexts(&cx.this);
        self.first.begin(first);
        self.second.begin(second);
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<A: Runnable, B: Runnable<Take = A::Give>> Stage for Fused<A, B> {
    type Role = FusedRole<A::Role, B::Role>;
    type Take = A::Take;
    type Give = B::Give;
    type Dispatcher = B::Dispatcher;

    fn options(&self) -> StageOptions {
        self.first.state.options().fused(self.second.state.options())
    }

    fn dispatcher(&self) -> B::Dispatcher {
        self.second.state.dispatcher()
    }
}
