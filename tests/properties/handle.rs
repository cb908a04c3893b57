//! A stage of any role, and what the runtime tells of it.

use genstage::prelude::*;
use genstage::{DemandMode, Reason, Snapshot, StageRef, Subscribe, SubscribeError, Subscription};
use genstage_tests::any_dispatcher::AnyOptions;

use crate::events::Event;
use crate::stages::{Emit, Leaf, Middle, Nudge, Source};
use crate::topology::Edge;

#[derive(Clone)]
pub(crate) enum Handle {
    Source(StageRef<Source>),
    Middle(StageRef<Middle>),
    Leaf(StageRef<Leaf>),
}

/// Does the same to whichever it is.
macro_rules! each {
    ($handle:expr, $stage:ident => $what:expr) => {
        match $handle {
            Handle::Source($stage) => $what,
            Handle::Middle($stage) => $what,
            Handle::Leaf($stage) => $what,
        }
    };
}

/// Does the same to whichever two they are, the first of a later layer than the second.
macro_rules! each_two {
    ($consumer:expr, $producer:expr, $this:ident, $to:ident => $what:expr) => {
        match ($consumer, $producer) {
            (Handle::Leaf($this), Handle::Source($to)) => $what,
            (Handle::Leaf($this), Handle::Middle($to)) => $what,
            (Handle::Middle($this), Handle::Source($to)) => $what,
            (Handle::Middle($this), Handle::Middle($to)) => $what,
            _ => panic!("a consumer is of a later layer than its producer"),
        }
    };
}

impl Handle {
    pub(crate) fn has_ended(&self) -> bool {
        each!(self, stage => stage.has_ended())
    }

    pub(crate) async fn ended(&self) -> Reason {
        each!(self, stage => stage.ended().await)
    }

    /// What it is doing; none if it has ended.
    pub(crate) async fn snapshot(&self) -> Option<Snapshot> {
        each!(self, stage => stage.snapshot().await)
    }

    pub(crate) async fn set_demand(&self, mode: DemandMode) {
        each!(self, stage => stage.set_demand(mode).await);
    }

    pub(crate) async fn stop(&self, reason: Reason) {
        each!(self, stage => stage.stop(reason).await);
    }

    pub(crate) async fn ask(&self, subscription: &Subscription, events: usize) {
        each!(self, stage => stage.ask(subscription, events).await);
    }

    pub(crate) async fn cancel(&self, subscription: &Subscription, reason: Reason) {
        each!(self, stage => stage.cancel(subscription, reason).await);
    }

    pub(crate) async fn nudge(&self) {
        // One that has ended is not nudged.
        let _ = each!(self, stage => stage.info(Nudge).await);
    }

    pub(crate) async fn emit(&self, events: usize) {
        // One that has ended emits nothing.
        let _ = match self {
            Self::Source(stage) => stage.cast(Emit(events)).await,
            Self::Middle(stage) => stage.cast(Emit(events)).await,
            Self::Leaf(_) => panic!("a leaf emits nothing"),
        };
    }

    /// Subscribes, in the place of another subscription if one is given with the reason for its end.
    pub(crate) async fn subscribe(
        &self,
        producer: &Self,
        edge: &Edge,
        instead_of: Option<(&Subscription, Reason)>,
    ) -> Result<Subscription, SubscribeError> {
        let &Edge { max, min, cancel, partition, lane } = edge;
        let selector = lane.map(|lane| genstage::Selector::new(move |event: &Event| event.lane() == lane));
        let dispatch = AnyOptions { selector: selector.unwrap_or_default(), partition: Some(partition) };
        let options = Subscribe::new().max_demand(max).min_demand(min).cancel(cancel).dispatch(dispatch);
        each_two!(self, producer, this, to => match instead_of {
            None => this.subscribe(to, options).await,
            Some((old, reason)) => this.resubscribe(old, reason, to, options).await,
        })
    }
}
