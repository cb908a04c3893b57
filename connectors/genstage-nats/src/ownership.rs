//! A source's part in a group that has partitions: a task says that the source is there, and knows which partitions it owns.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use genstage::{Error, Result};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

use crate::consumers::Consumers;
use crate::owners::{Heard, Owners};

/// How often a source says that it is there, at least.
const BEAT: Duration = Duration::from_secs(2);

/// What an owner has settled before it went may still be on its way to the server for so long.
const GRACE: Duration = Duration::from_secs(1);

/// Between two looks at what it has left unsettled.
const LOOK: Duration = Duration::from_millis(200);

/// For how long a source that goes tries to say so.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a source may request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owned {
    pub(crate) partitions: BTreeSet<usize>,
    /// Until when it may without further word; none is for ever.
    pub(crate) until: Option<Instant>,
}

/// The source's end of it: dropped, it leaves the group.
#[derive(Debug)]
pub(crate) struct Ownership {
    owned: watch::Receiver<Owned>,
    held: watch::Sender<BTreeSet<usize>>,
    task: JoinHandle<()>,
}

/// The group, as one of its sources knows it.
pub(crate) struct Group {
    pub(crate) consumers: Consumers,
    pub(crate) partitions: usize,
    /// Where its [`Owners`] are stored.
    pub(crate) store: Store,
}

impl Ownership {
    /// Has a new source join the group.
    pub(crate) fn join(group: Group) -> Self {
        let (owned, owned_here) = watch::channel(Owned::default());
        let (held_here, held) = watch::channel(BTreeSet::new());
        let member = Member {
            name: group.consumers.context.client().new_inbox(),
            group,
            heard: Heard::default(),
            taken: BTreeMap::new(),
            owned,
            held,
        };
        let task = tokio::spawn(member.run());
        Self { owned: owned_here, held: held_here, task }
    }

    /// Leaves the group, and waits until the others can know of it, for a few seconds at most.
    pub(crate) async fn leave(self) {
        let Self { owned, held, task } = self;
        drop((owned, held));
        // One that has panicked has said so.
        let _ = task.await;
    }

    /// Waits until the source owns something else than it has looked at. Cancellation safe.
    pub(crate) async fn changed(&mut self) -> Result {
        self.owned.changed().await.map_err(|_| Error::msg("nobody knows any more which partitions it owns"))
    }

    /// What it owns, for what it then holds. Both at once: who changes what it owns knows what may still be held of it.
    pub(crate) fn look(&mut self, hold: impl FnOnce(&Owned) -> BTreeSet<usize>) {
        let owned = self.owned.borrow_and_update();
        let held = hold(&owned);
        self.held.send_if_modified(|before| {
            let differs = *before != held;
            *before = held;
            differs
        });
    }
}

struct Member {
    name: String,
    group: Group,
    heard: Heard,
    /// Partitions that it owns, whose owner before may have left something unsettled; since when.
    taken: BTreeMap<usize, Instant>,
    owned: watch::Sender<Owned>,
    held: watch::Receiver<BTreeSet<usize>>,
}

impl Member {
    async fn run(mut self) {
        let mut next = Instant::now();
        loop {
            tokio::select! {
                changed = self.held.changed() => if changed.is_err() { break },
                () = sleep_until(next) => {}
            }
            let begin = Instant::now();
            if let Err(error) = self.turn().await {
                warn!(exchange = self.group.consumers.exchange, group = self.group.consumers.group, %error, "a source cannot say that it is there");
            }
            next = begin + self.pause();
        }
        if timeout(FAREWELL, self.leave()).await.is_err() {
            info!(
                exchange = self.group.consumers.exchange,
                group = self.group.consumers.group,
                "what a source owned is free after a while"
            );
        }
    }

    /// It says that it is there often enough that no word which is lost makes it lose what it owns.
    fn pause(&self) -> Duration {
        let beat = BEAT.min(self.group.lease() / 8);
        let waits = !self.taken.is_empty();
        if waits { beat.min(LOOK) } else { beat }
    }

    async fn turn(&mut self) -> Result {
        let begin = Instant::now();
        let partitions = self.group.partitions;
        let owners = loop {
            let (mut owners, revision) = self.group.read().await?;
            if !owners.has(&self.name) {
                // Others took it for gone. What it owned may be theirs.
                self.own(BTreeSet::new(), begin);
            }
            let silent = self.heard.silent(&owners, self.group.lease(), Instant::now());
            for source in silent.iter().filter(|source| **source != self.name) {
                info!(
                    exchange = self.group.consumers.exchange,
                    group = self.group.consumers.group,
                    source,
                    "a source is gone"
                );
                owners.leave(source);
            }
            let held = &*self.held.borrow_and_update() | &self.owned.borrow().partitions;
            owners.turn(&self.name, partitions, &held);
            if self.group.write(&owners, revision).await? {
                break owners;
            }
        };
        let kept = owners.kept(&self.name, partitions);
        let still = &self.owned.borrow().partitions & &kept;
        self.own(still, begin);
        let ready = self.ready(&kept).await;
        self.own(ready, begin);
        Ok(())
    }

    fn own(&self, partitions: BTreeSet<usize>, begin: Instant) {
        let until = Some(begin + self.group.lease() / 2);
        self.owned.send_replace(Owned { partitions, until });
    }

    /// Of what it owns, that of which an owner before has left nothing behind. What a dead one has had and not settled is to come first.
    async fn ready(&mut self, kept: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut ready = &self.owned.borrow().partitions & kept;
        self.taken.retain(|partition, _| kept.contains(partition));
        for partition in kept - &ready {
            let since = *self.taken.entry(partition).or_insert_with(Instant::now);
            // A server that does not answer is asked again.
            if matches!(self.group.settle_up(partition, since).await, Ok(true)) {
                self.taken.remove(&partition);
                ready.insert(partition);
            }
        }
        ready
    }

    async fn leave(&self) {
        while !matches!(self.try_to_leave().await, Ok(true)) {
            sleep(LOOK).await;
        }
    }

    /// False if another source was faster.
    async fn try_to_leave(&self) -> Result<bool> {
        let (mut owners, revision) = self.group.read().await?;
        owners.leave(&self.name);
        self.group.write(&owners, revision).await
    }
}

impl Group {
    /// After how long a source that says nothing is gone: as long as the server waits for word of what it has handed out.
    fn lease(&self) -> Duration {
        self.consumers.ack_wait
    }

    async fn read(&self) -> Result<(Owners, u64)> {
        match self.store.entry(&self.consumers.group).await? {
            Some(entry) => Ok((serde_json::from_slice(&entry.value)?, entry.revision)),
            None => Ok((Owners::default(), 0)),
        }
    }

    /// False if another one was faster.
    async fn write(&self, owners: &Owners, revision: u64) -> Result<bool> {
        let value = serde_json::to_vec(owners)?;
        match self.store.update(&self.consumers.group, value.into(), revision).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// True if nothing is left of an owner before: at once, if it has settled all, or when it has had the time to say so.
    async fn settle_up(&self, partition: usize, since: Instant) -> Result<bool> {
        let is_settled = self.consumers.is_settled(partition).await;
        if !is_settled.as_ref().is_ok_and(|settled| *settled) && since.elapsed() >= GRACE {
            self.consumers.begin_anew(partition).await?;
            return Ok(true);
        }
        is_settled
    }
}
