//! The invariants, checked against the books when nothing is in flight.
//!
//! What stands queued in front of a middle stage cannot be looked at from outside. But a stage whose own consumers want
//! something has nothing queued; so has a leaf. Such a stage is *hungry*, and what it wants of each producer is known to the
//! event. Of the others the checks go by what they want at the least.

use std::collections::HashSet;

use crate::books::{Account, Link};
use crate::topology::{Dispatch, Kind};
use crate::world::World;

impl World {
    pub(crate) fn check(&self) {
        for stage in 0..self.stages.len() {
            let Some(account) = &self.stages[stage].account else { continue };
            let what = format!("stage {stage}: {:?}, {:?}", account.spec.dispatch, account.last);
            if account.last.forwards {
                assert_eq!(account.last.accumulated, 0, "held back while demand is forwarded: {what}");
                self.check_served(stage, account, &what);
                self.check_asked(stage, account, &what);
            }
            self.check_nothing_waits(stage, account, &what);
            self.check_nothing_is_lost(stage, account, &what);
            self.check_copies(stage, account, &what);
        }
    }

    /// Invariant 1: nothing is held for a consumer that wants it.
    fn check_served(&self, stage: usize, account: &Account, what: &str) {
        let wanted = self.wanted(stage);
        assert!(wanted == 0 || account.last.buffered == 0, "{wanted} wanted, and some buffered: {what}");
        let Dispatch::Partition(partitions) = account.spec.dispatch else { return };
        if self.may_be_full(account) || !self.only_hungry_below(stage) {
            return;
        }
        for link in self.live(stage).filter(|link| self.unmet(link) > 0) {
            let held = account.tally.alive_where(|lane| partitions.of(lane) == Some(link.edge.partition));
            assert_eq!(held, 0, "queued for stage {}, which wants some: {what}", link.consumer);
        }
    }

    /// Invariant 3, upwards: the handler is asked for what is wanted, and not for more than consumers asked for.
    fn check_asked(&self, stage: usize, account: &Account, what: &str) {
        if !matches!(self.stages[stage].spec.kind, Kind::Source { .. }) {
            return;
        }
        let (wanted, owed) = (self.wanted(stage), account.owed);
        if let Dispatch::Partition(_) = account.spec.dispatch {
            assert!(wanted == 0 || owed > 0, "{wanted} wanted and not asked for: {what}");
            return;
        }
        assert!(owed >= wanted, "{wanted} wanted, {owed} asked for: {what}");
        if !account.accumulated_once && !self.selects(stage) {
            let asked: usize = self.below(stage).map(|link| link.asked).sum();
            let (asked, demanded) = (asked + account.overflown as usize, account.demanded);
            assert!(demanded <= asked, "{demanded} asked for, {asked} ever wanted or discarded: {what}");
        }
    }

    /// Everything that the stage itself does not hold has arrived, where all consumers are hungry.
    fn check_nothing_waits(&self, stage: usize, account: &Account, what: &str) {
        if account.spec.dispatch == Dispatch::Demand {
            assert_eq!(account.last.queued, 0, "neither sent nor counted: {what}");
        }
        if self.only_hungry_below(stage) {
            assert_eq!(account.on_the_way(), 0, "sent and not handled: {what}");
        }
    }

    /// Invariant 3, downwards: every event is delivered, waits, is counted as discarded, or was with a stage that has ended.
    fn check_nothing_is_lost(&self, stage: usize, account: &Account, what: &str) {
        let tally = &account.tally;
        let (dropped, discarded) = (tally.dropped(), account.last.discarded);
        let refused = match account.spec.dispatch {
            Dispatch::Demand => 0,
            // Copies for consumers that had ended.
            Dispatch::Broadcast => account.gone,
            // What belongs to no partition.
            Dispatch::Partition(partitions) => tally.dropped_where(|lane| partitions.of(lane).is_none()),
        };
        assert!(account.last.refused <= refused, "discarded, and the buffer was not full: {what}");
        assert!(discarded <= dropped, "counted as discarded, {dropped} are: {what}");
        // What the selector of the last consumer refuses of a broadcast is dropped, and the others have their copies.
        if !self.selects(stage) {
            let gone = account.gone;
            assert!(dropped <= discarded + gone, "{dropped} dropped, {gone} with stages that ended: {what}");
        }
    }

    /// A broadcast reaches everyone: each subscription gets every event between its first and its last that anyone gets.
    fn check_copies(&self, stage: usize, account: &Account, what: &str) {
        if account.spec.dispatch != Dispatch::Broadcast {
            return;
        }
        for link in self.live(stage).filter(|link| self.is_hungry(link.consumer) && link.edge.lane.is_none())
        {
            let received = link.received.len() as u64;
            let since = |dispatched| account.dispatched() - dispatched;
            let most = since(link.dispatched_before);
            let least = link.dispatched_after.map_or(0, since);
            assert!((least..=most).contains(&received), "{received} copies of {least} to {most}: {what}");
        }
        if account.has_two_orders() {
            return;
        }
        let sent: HashSet<_> = self.below(stage).flat_map(|link| &link.received).collect();
        for link in self.below(stage).filter(|link| link.edge.lane.is_none()) {
            let (Some(first), Some(last)) = (link.received.first(), link.received.last()) else { continue };
            let due = sent.iter().filter(|number| (first..=last).contains(*number)).count();
            assert_eq!(link.received.len(), due, "a copy is missing at stage {}: {what}", link.consumer);
        }
    }

    /// How many events the stage's dispatcher wants at the least.
    fn wanted(&self, stage: usize) -> usize {
        let Some(account) = &self.stages[stage].account else { return 0 };
        let unmet = self.live(stage).map(|link| self.unmet(link));
        match account.spec.dispatch {
            Dispatch::Broadcast => unmet.min().unwrap_or(0),
            Dispatch::Partition(_) if self.may_be_full(account) => 0,
            Dispatch::Demand | Dispatch::Partition(_) => {
                let credit: usize = self.live(stage).map(Link::credit).sum();
                unmet.sum::<usize>().max(credit.saturating_sub(account.on_the_way() as usize))
            }
        }
    }

    /// What a subscription wants at the least, beyond what was sent to it.
    fn unmet(&self, link: &Link) -> usize {
        let account = self.stages[link.producer].account.as_ref();
        match account {
            _ if self.is_hungry(link.consumer) => link.credit(),
            Some(account) if account.spec.dispatch == Dispatch::Broadcast => {
                let sent = account.dispatched() - link.dispatched_before;
                link.asked.saturating_sub(sent as usize)
            }
            _ => 0,
        }
    }

    /// Whether nothing stands queued in front of a stage.
    fn is_hungry(&self, stage: usize) -> bool {
        match &self.stages[stage].account {
            None => true,
            Some(account) => account.last.forwards && self.wanted(stage) > 0,
        }
    }

    /// Whether nothing stands queued in front of any stage that was ever subscribed to this one.
    fn only_hungry_below(&self, stage: usize) -> bool {
        self.below(stage).all(|link| self.stages[link.consumer].ended || self.is_hungry(link.consumer))
    }

    /// A full partition holds up the others.
    fn may_be_full(&self, account: &Account) -> bool {
        let Dispatch::Partition(partitions) = account.spec.dispatch else { return false };
        account.last.queued >= partitions.queue_size as u64
    }

    fn selects(&self, stage: usize) -> bool {
        self.below(stage).any(|link| link.edge.lane.is_some())
    }

    /// All subscriptions to a stage that there ever were.
    fn below(&self, stage: usize) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.producer == stage)
    }

    /// The subscriptions to a stage as it knows them.
    fn live(&self, stage: usize) -> impl Iterator<Item = &Link> {
        self.below(stage)
            .filter(|link| link.accepted && !link.gone_above && !self.stages[link.producer].ended)
    }
}
