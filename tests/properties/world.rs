//! Running stages, and what is done to them.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use genstage::testing::settle;
use genstage::{DemandMode, Reason, Subscription};

use crate::books::{Account, Link};
use crate::events::Tally;
use crate::handle::Handle;
use crate::stages::{Made, Notes, Source};
use crate::topology::{Edge, Kind, StageSpec};

/// What may happen to a topology. Subscriptions and stages go by numbers, round and round; one to which it cannot be done
/// leaves it to the next.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// A manual leaf asks.
    Ask {
        link: usize,
        events: usize,
    },
    /// A stage emits events, whatever was asked for.
    Emit {
        at: At,
        events: usize,
    },
    Nudge {
        at: At,
    },
    Subscribe {
        consumer: usize,
        producer: usize,
        edge: Edge,
    },
    Resubscribe {
        link: usize,
        reason: Reason,
        edge: Edge,
    },
    Cancel {
        link: usize,
        reason: Reason,
    },
    SetDemand {
        at: At,
        mode: DemandMode,
    },
    Stop {
        at: At,
        reason: Reason,
    },
}

/// A stage: any, or one side of a subscription, so that things meet in one place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Stage(usize),
    ProducerOf(usize),
    ConsumerOf(usize),
}

/// An operation, with what it is done to.
enum Act {
    Ask(Handle, Subscription, usize),
    Emit(Handle, usize),
    Nudge(Handle),
    Subscribe(Box<Draft>),
    Cancel(Handle, Subscription, Reason),
    SetDemand(Handle, DemandMode),
    Stop(Handle, Reason),
}

/// A subscription that is to be made.
struct Draft {
    link: Link,
    consumer: Handle,
    producer: Handle,
    instead_of: Option<(Subscription, Reason)>,
}

/// A stage of the topology.
pub(crate) struct Stage {
    pub(crate) handle: Handle,
    pub(crate) spec: StageSpec,
    /// Of one that emits.
    pub(crate) account: Option<Account>,
    pub(crate) ended: bool,
}

pub(crate) struct World {
    pub(crate) stages: Vec<Stage>,
    pub(crate) links: Vec<Link>,
    pub(crate) notes: Notes,
    /// Which events have arrived; those of a broadcast, where.
    pub(crate) arrived: HashSet<(usize, u64, Option<usize>)>,
}

impl World {
    /// Starts the stages of a topology; nobody is subscribed to anybody.
    pub(crate) fn start(topology: &[StageSpec], change: impl Fn(&mut Source)) -> Self {
        let notes = Notes::default();
        let start = |(number, spec): (usize, &StageSpec)| {
            let tally = Arc::new(Tally::default());
            let mut stage = spec.kind.make(number, &notes, &tally);
            if let Made::Source(source) = &mut stage {
                change(source);
            }
            // A stage's name is its number.
            let handle = stage.spawn_as(number.to_string());
            let account = spec.kind.output().map(|output| Account::new(output.clone(), tally));
            Stage { handle, spec: spec.clone(), account, ended: false }
        };
        let stages = topology.iter().enumerate().map(start).collect();
        Self { stages, links: vec![], notes, arrived: HashSet::new() }
    }

    /// Does several things at once, or some turns of the runtime one after the other; waits until nothing happens any more, and
    /// checks what came of it.
    pub(crate) async fn play(&mut self, ops: &[Op], turns: usize) {
        self.act(ops, turns).await;
        settle().await;
        self.keep_books().await;
        self.check();
    }

    pub(crate) async fn act(&mut self, ops: &[Op], turns: usize) {
        let mut acts = vec![];
        for op in ops {
            let act = self.plan(op, &acts);
            acts.extend(act);
        }
        let made = join_all(acts.into_iter().enumerate().map(|(i, act)| act.run_after(i * turns))).await;
        self.links.extend(made.into_iter().flatten());
    }

    /// Lets everything flow, then stops all stages: nothing is left then.
    pub(crate) async fn finish(&mut self) {
        let stages = || (0..self.stages.len()).map(At::Stage);
        let forward: Vec<_> = stages().map(|at| Op::SetDemand { at, mode: DemandMode::Forward }).collect();
        let ask: Vec<_> = (0..self.links.len()).map(|link| Op::Ask { link, events: 1000 }).collect();
        let stop: Vec<_> = stages().map(|at| Op::Stop { at, reason: Reason::Shutdown }).collect();
        for ops in [forward, ask, stop] {
            self.play(&ops, 0).await;
        }
        for account in self.stages.iter().filter_map(|stage| stage.account.as_ref()) {
            assert_eq!(account.tally.alive(), 0, "events of stages that have ended are still somewhere");
        }
    }

    /// What an operation comes to; nothing if there is nothing to do it to.
    fn plan(&mut self, op: &Op, others: &[Act]) -> Option<Act> {
        match op.clone() {
            Op::Ask { link, events } => {
                let link = self.link(link, |link| link.manual)?;
                let (leaf, link) = (self.handle(self.links[link].consumer), &mut self.links[link]);
                link.asked += events;
                Some(Act::Ask(leaf, link.subscription.clone()?, events))
            }
            Op::Emit { at, events } => {
                let stage = self.stage(at)?;
                self.stages[stage].account.as_ref()?;
                Some(Act::Emit(self.handle(stage), events))
            }
            Op::Nudge { at } => Some(Act::Nudge(self.handle(self.stage(at)?))),
            Op::SetDemand { at, mode } => {
                let stage = self.stage(at)?;
                let is_source = matches!(self.stages[stage].spec.kind, Kind::Source { .. });
                let account = self.stages[stage].account.as_mut()?;
                account.accumulated_once |= is_source && mode == DemandMode::Accumulate;
                Some(Act::SetDemand(self.handle(stage), mode))
            }
            Op::Stop { at, reason } => Some(Act::Stop(self.handle(self.stage(at)?), reason)),
            Op::Cancel { link, reason } => {
                let link = &self.links[self.link(link, |_| true)?];
                Some(Act::Cancel(self.handle(link.consumer), link.subscription.clone()?, reason))
            }
            Op::Subscribe { consumer, producer, edge } => {
                let sources = self.stages.iter().filter(|stage| stage.spec.layer == 0).count();
                let consumer = sources + consumer % (self.stages.len() - sources);
                let layer = self.stages[consumer].spec.layer;
                let producer = producer % self.stages.iter().filter(|stage| stage.spec.layer < layer).count();
                let twice = self.links.iter().any(|link| link.is(consumer, producer) && !link.gone_below);
                (!twice).then(|| self.draft(consumer, producer, edge, None, others))?
            }
            Op::Resubscribe { link, reason, edge } => {
                let is_newest = |link: &Link| {
                    let newest = self.links.iter().rfind(|other| other.is(link.consumer, link.producer));
                    newest.is_some_and(|newest| newest.subscription == link.subscription)
                };
                let link = &self.links[self.link(link, |link| !link.gone_above && is_newest(link))?];
                let instead_of = Some((link.subscription.clone()?, reason));
                self.draft(link.consumer, link.producer, edge, instead_of, others)
            }
        }
    }

    /// A new subscription, unless another between the two is to be made at the same time: one at a time is what the books
    /// can tell apart.
    fn draft(
        &self,
        consumer: usize,
        producer: usize,
        edge: Edge,
        instead_of: Option<(Subscription, Reason)>,
        others: &[Act],
    ) -> Option<Act> {
        let twice = |act: &Act| matches!(act, Act::Subscribe(draft) if draft.link.is(consumer, producer));
        if others.iter().any(twice) {
            return None;
        }
        let manual = matches!(self.stages[consumer].spec.kind, Kind::Leaf { manual: true });
        let account = self.stages[producer].account.as_ref()?;
        let link = Link::new(consumer, producer, edge, manual, account.dispatched());
        let [consumer, producer] = [consumer, producer].map(|stage| self.handle(stage));
        Some(Act::Subscribe(Box::new(Draft { link, consumer, producer, instead_of })))
    }

    fn handle(&self, stage: usize) -> Handle {
        self.stages[stage].handle.clone()
    }

    /// The subscription of that number, or the next that has not ended and is wanted.
    fn link(&self, number: usize, wanted: impl Fn(&Link) -> bool) -> Option<usize> {
        let count = self.links.len();
        let mut round = (0..count).map(|i| (number + i) % count);
        round.find(|i| !self.links[*i].gone_below && wanted(&self.links[*i]))
    }

    fn stage(&self, at: At) -> Option<usize> {
        match at {
            At::Stage(number) => Some(number % self.stages.len()),
            At::ProducerOf(link) => Some(self.links[self.link(link, |_| true)?].producer),
            At::ConsumerOf(link) => Some(self.links[self.link(link, |_| true)?].consumer),
        }
    }
}

impl Act {
    /// Does it, so many turns of the runtime from now; what subscription came of it.
    async fn run_after(self, turns: usize) -> Option<Link> {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        match self {
            Self::Ask(stage, subscription, events) => stage.ask(&subscription, events).await,
            Self::Emit(stage, events) => stage.emit(events).await,
            Self::Nudge(stage) => stage.nudge().await,
            Self::Cancel(stage, subscription, reason) => stage.cancel(&subscription, reason).await,
            Self::SetDemand(stage, mode) => stage.set_demand(mode).await,
            Self::Stop(stage, reason) => stage.stop(reason).await,
            Self::Subscribe(draft) => {
                let Draft { mut link, consumer, producer, instead_of } = *draft;
                let instead_of = instead_of.as_ref().map(|(old, reason)| (old, reason.clone()));
                link.subscription = consumer.subscribe(&producer, &link.edge, instead_of).await.ok();
                return link.subscription.is_some().then_some(link);
            }
        }
        None
    }
}
