//! Who owns which partition of a group: a value that its sources change one after the other, and the rule by which they do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The sources of a group, and what they own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owners {
    /// The sources there are, and how often each has said that it is there.
    beats: BTreeMap<String, u64>,
    /// The owner of each partition that has one.
    owners: BTreeMap<usize, String>,
}

impl Owners {
    /// A source says that it is there. It is to own its fair share: what is free it takes, and what is too much it gives up, unless it
    /// still holds something of it.
    pub(crate) fn turn(&mut self, source: &str, partitions: usize, held: &BTreeSet<usize>) {
        *self.beats.entry(source.to_owned()).or_default() += 1;
        let share = self.share(source, partitions);
        for partition in self.of(source).into_iter().skip(share) {
            if !held.contains(&partition) {
                self.owners.remove(&partition);
            }
        }
        let free: Vec<_> = (0..partitions).filter(|partition| !self.owners.contains_key(partition)).collect();
        let missing = share.saturating_sub(self.of(source).len());
        self.owners.extend(free.into_iter().take(missing).map(|partition| (partition, source.to_owned())));
    }

    /// The partitions of a source that it is to keep, which has taken its turn.
    pub(crate) fn kept(&self, source: &str, partitions: usize) -> BTreeSet<usize> {
        self.of(source).into_iter().take(self.share(source, partitions)).collect()
    }

    pub(crate) fn has(&self, source: &str) -> bool {
        self.beats.contains_key(source)
    }

    /// A source goes, or is gone: what it owned is free.
    pub(crate) fn leave(&mut self, source: &str) {
        self.beats.remove(source);
        self.owners.retain(|_, owner| owner != source);
    }

    fn of(&self, source: &str) -> Vec<usize> {
        let owned = self.owners.iter().filter(|(_, owner)| *owner == source);
        owned.map(|(partition, _)| *partition).collect()
    }

    /// As many as every other source; the first ones in the order of their names have one more, if it does not come out even.
    fn share(&self, source: &str, partitions: usize) -> usize {
        let sources = self.beats.len().max(1);
        let before = self.beats.range(..source.to_owned()).count();
        partitions / sources + usize::from(before < partitions % sources)
    }
}

/// When a source has last heard of the others. Clocks of different machines are not compared: what counts is how long ago it has
/// seen, by its own, that another one had said something.
#[derive(Debug, Default)]
pub(crate) struct Heard(BTreeMap<String, (u64, Instant)>);

impl Heard {
    /// Who has said nothing for so long.
    pub(crate) fn silent(&mut self, owners: &Owners, lease: Duration, now: Instant) -> Vec<String> {
        self.0.retain(|source, _| owners.beats.contains_key(source));
        for (source, beats) in &owners.beats {
            let (heard, at) = self.0.entry(source.clone()).or_insert((*beats, now));
            if heard != beats {
                (*heard, *at) = (*beats, now);
            }
        }
        let silent = self.0.iter().filter(|(_, (_, at))| now.duration_since(*at) >= lease);
        silent.map(|(source, _)| source.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const PARTITIONS: usize = 8;

    /// What sources do, by their numbers.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// Takes its turn; by then it has let go of what it is not to keep, or not yet.
        Turn(u8, bool),
        Leave(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..5u8, any::<bool>()).prop_map(|(source, lets_go)| Step::Turn(source, lets_go)),
            1 => (0..5u8).prop_map(Step::Leave),
        ];
        vec(step, 0..60)
    }

    /// Sources as they see it: what each still holds.
    #[derive(Default)]
    struct Group {
        owners: Owners,
        held: BTreeMap<u8, BTreeSet<usize>>,
    }

    impl Group {
        fn turn(&mut self, source: u8, lets_go: bool) {
            let name = source.to_string();
            let held = self.held.entry(source).or_default();
            self.owners.turn(&name, PARTITIONS, held);
            let kept = self.owners.kept(&name, PARTITIONS);
            if lets_go {
                held.retain(|partition| kept.contains(partition));
            }
            held.extend(kept);
        }

        fn run(&mut self, step: Step) {
            match step {
                Step::Turn(source, lets_go) => self.turn(source, lets_go),
                Step::Leave(source) => {
                    self.held.remove(&source);
                    self.owners.leave(&source.to_string());
                }
            }
        }

        fn no_partition_is_held_twice(&self) {
            let held: Vec<_> = self.held.values().flatten().collect();
            assert_eq!(held.len(), held.iter().collect::<BTreeSet<_>>().len(), "{:?}", self.held);
        }
    }

    proptest! {
        /// Whatever sources come and go, no two hold something of a partition; and when it is quiet, each partition has an owner, and
        /// nobody owns two more than another.
        #[test]
        fn every_partition_has_one_owner(steps in steps()) {
            let mut group = Group::default();
            for step in steps {
                group.run(step);
                group.no_partition_is_held_twice();
            }
            let sources: Vec<u8> = group.held.keys().copied().collect();
            for _ in 0..3 {
                sources.iter().for_each(|source| group.turn(*source, true));
            }
            group.no_partition_is_held_twice();
            let shares: Vec<usize> = group.held.values().map(BTreeSet::len).collect();
            prop_assert!(sources.is_empty() || shares.iter().sum::<usize>() == PARTITIONS, "{:?}", shares);
            prop_assert!(shares.iter().max() <= shares.iter().min().map(|least| least + 1).as_ref());
            // It stays so.
            let before = group.owners.owners.clone();
            sources.iter().for_each(|source| group.turn(*source, true));
            prop_assert_eq!(before, group.owners.owners);
        }
    }

    #[test]
    fn who_says_nothing_for_so_long_is_gone() {
        let (lease, begin) = (Duration::from_secs(10), Instant::now());
        let (mut owners, mut heard) = (Owners::default(), Heard::default());
        for source in ["speaks", "is silent"] {
            owners.turn(source, PARTITIONS, &BTreeSet::new());
        }
        assert!(heard.silent(&owners, lease, begin).is_empty());
        owners.turn("speaks", PARTITIONS, &BTreeSet::new());
        assert!(heard.silent(&owners, lease, begin + lease / 2).is_empty());
        assert_eq!(heard.silent(&owners, lease, begin + lease), ["is silent"]);
        assert_eq!(heard.silent(&owners, lease, begin + lease * 2), ["is silent", "speaks"]);
        // Who comes back has all the time again.
        owners.leave("is silent");
        assert_eq!(heard.silent(&owners, lease, begin + lease * 3), ["speaks"]);
        owners.turn("is silent", PARTITIONS, &BTreeSet::new());
        assert_eq!(heard.silent(&owners, lease, begin + lease * 4), ["speaks"]);
    }
}
