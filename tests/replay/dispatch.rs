use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use genstage::testing::DispatcherProbe;
use genstage::{
    BroadcastDispatcher, ConsumerKey, DemandDispatcher, Dispatcher, Partition, PartitionDispatcher, Selector,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Mismatch, compare, same_length};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    kind: String,
    partitions: Option<usize>,
    ops: Vec<Value>,
    out: Vec<Value>,
}

/// What a subscription may state.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    selector: Option<(i64, i64)>,
    partition: Option<usize>,
}

pub(super) fn play(line: Value) -> Result<Option<Mismatch>> {
    let recording: Recording = serde_json::from_value(line)?;
    same_length(recording.ops.len(), recording.out.len())?;
    match recording.kind.as_str() {
        "demand" => run(&recording, DemandDispatcher::default(), |_| Ok(()), LeftOver::HasCome),
        "broadcast" => run(&recording, BroadcastDispatcher::default(), selector, LeftOver::IsToCome),
        "partition" => {
            let partitions = recording.partitions.context("`partitions` is missing")?;
            let count = i64::try_from(partitions)?;
            let dispatcher = PartitionDispatcher::new(partitions, move |event: &i64| {
                usize::try_from(event.rem_euclid(count)).ok()
            });
            run(&recording, dispatcher, partition, LeftOver::IsToCome)
        }
        kind => bail!("unknown kind `{kind}`"),
    }
}

fn selector(stated: Stated) -> Result<Selector<i64>> {
    Ok(match stated.selector {
        Some((modulus, rest)) => Selector::new(move |event: &i64| event.rem_euclid(modulus) == rest),
        None => Selector::default(),
    })
}

fn partition(stated: Stated) -> Result<Partition> {
    stated.partition.map(Partition).context("`partition` is missing")
}

/// Whether events that a dispatcher leaves over have come, for the demand that goes upstream. In the reference each
/// dispatcher has its own idea; here the stage keeps account.
#[derive(Clone, Copy, PartialEq)]
enum LeftOver {
    HasCome,
    IsToCome,
}

struct Play<D> {
    probe: DispatcherProbe<i64, D>,
    keys: BTreeMap<u64, ConsumerKey>,
    owed: usize,
    left_over: LeftOver,
}

fn run<D: Dispatcher<i64>>(
    recording: &Recording,
    dispatcher: D,
    options: fn(Stated) -> Result<D::Options>,
    left_over: LeftOver,
) -> Result<Option<Mismatch>> {
    let probe = DispatcherProbe::new(dispatcher);
    let mut play = Play { probe, keys: BTreeMap::new(), owed: 0, left_over };
    for (index, (op, expected)) in recording.ops.iter().zip(&recording.out).enumerate() {
        let got = play.step(op, options).with_context(|| format!("operation {}: {op}", index + 1))?;
        if let Some(mismatch) = compare(index, op, expected, got)? {
            return Ok(Some(mismatch));
        }
    }
    Ok(None)
}

impl<D: Dispatcher<i64>> Play<D> {
    fn step(&mut self, op: &Value, options: fn(Stated) -> Result<D::Options>) -> Result<Value> {
        let word = op.get(0).and_then(Value::as_str).context("expected an operation's name")?;
        let mut got = Map::new();
        match word {
            "subscribe" => {
                let (_, consumer, stated): (String, u64, Stated) = serde_json::from_value(op.clone())?;
                let key = self.probe.subscribe(options(stated)?)?;
                self.keys.insert(consumer, key);
                got.insert("demand".into(), self.claim().into());
            }
            "ask" => {
                let (_, consumer, demand): (String, u64, usize) = serde_json::from_value(op.clone())?;
                self.probe.ask(self.key(consumer)?, demand);
                got.insert("demand".into(), self.claim().into());
            }
            "cancel" => {
                let (_, consumer): (String, u64) = serde_json::from_value(op.clone())?;
                self.probe.cancel(self.key(consumer)?);
                self.keys.remove(&consumer);
                got.insert("demand".into(), self.claim().into());
            }
            "dispatch" => {
                let (_, events): (String, Vec<i64>) = serde_json::from_value(op.clone())?;
                let count = events.len();
                let left = self.probe.dispatch_owed(events, self.owed);
                let came = if self.left_over == LeftOver::HasCome { count } else { count - left.len() };
                self.owed = self.owed.saturating_sub(came);
                got.insert("leftover".into(), left.into());
            }
            "info" => {
                let (_, info): (String, u64) = serde_json::from_value(op.clone())?;
                self.probe.info(info);
            }
            _ => bail!("unknown operation `{word}`"),
        }
        self.observe(&mut got);
        Ok(got.into())
    }

    /// What the operation did besides.
    fn observe(&mut self, got: &mut Map<String, Value>) {
        let number = |key| self.keys.iter().find(|(_, other)| **other == key).map(|(number, _)| *number);
        let mut sent: BTreeMap<u64, Vec<Vec<i64>>> = BTreeMap::new();
        for (key, batch) in self.probe.sent() {
            sent.entry(number(key).unwrap_or_default()).or_default().push(batch);
        }
        got.insert("sent".into(), json!(sent.into_iter().collect::<Vec<_>>()));
        let mut refused: Vec<_> =
            self.probe.refused().into_iter().map(|(key, events)| (number(key), events)).collect();
        refused.sort_unstable();
        if !refused.is_empty() {
            got.insert("reask".into(), json!(refused));
        }
        let infos = self.probe.infos();
        if !infos.is_empty() {
            got.insert("infos".into(), json!(infos));
        }
    }

    /// What goes upstream.
    fn claim(&mut self) -> usize {
        let unmet = self.probe.unmet(self.owed);
        self.owed += unmet;
        unmet
    }

    fn key(&self, consumer: u64) -> Result<ConsumerKey> {
        self.keys.get(&consumer).copied().with_context(|| format!("consumer {consumer} is not subscribed"))
    }
}
