use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Cancel, DemandMode, Keep, Reason, StageRef, Subscribe, Subscription};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::stages::{Common, Middle, Note, Notes, Notify, Sink, Source, reason, stated};
use super::{ByStage, StageSpec, SubscribeOpts};

/// A scenario that is being played, on stages of the runtime.
pub(super) struct Play {
    stages: BTreeMap<String, Handle>,
    notes: Notes,
    /// The newest subscription of each consumer.
    newest: BTreeMap<String, Subscription>,
}

#[derive(Clone)]
enum Handle {
    Source(StageRef<Source>),
    Middle(StageRef<Middle>),
    Sink(StageRef<Sink>),
}

/// Calls the same method of whichever it is.
macro_rules! each {
    ($handle:expr, $stage:ident => $what:expr) => {
        match $handle {
            Handle::Source($stage) => $what,
            Handle::Middle($stage) => $what,
            Handle::Sink($stage) => $what,
        }
    };
}

impl Play {
    pub(super) fn start(specs: &[StageSpec]) -> Result<Self> {
        let notes = Notes::default();
        let mut stages = BTreeMap::new();
        for spec in specs {
            let common = Common {
                id: spec.id.clone(),
                notes: notes.clone(),
                buffer_size: spec.opts.buffer_size,
                keep: spec.opts.buffer_keep.map_or(Keep::Last, Into::into),
                dispatcher: spec.opts.dispatcher.clone(),
                style: spec.style.clone(),
            };
            let demand = mode(spec.opts.demand.as_deref().unwrap_or("forward"))?;
            let handle = match spec.kind.as_str() {
                "producer" => Handle::Source(Source { common, next: 0, demand }.spawn_as(&*spec.id)),
                "producer_consumer" => Handle::Middle(Middle { common }.spawn_as(&*spec.id)),
                "consumer" => Handle::Sink(Sink { common }.spawn_as(&*spec.id)),
                kind => bail!("stage {}: unknown kind `{kind}`", spec.id),
            };
            stages.insert(spec.id.clone(), handle);
        }
        Ok(Self { stages, notes, newest: BTreeMap::new() })
    }

    /// Does one step, waits until nothing happens any more, and says what did.
    pub(super) async fn step(&mut self, step: &Value) -> Result<Value> {
        let running: Vec<_> = self.running().map(|(id, _)| id.clone()).collect();
        let done = self.act(step).await?;
        settle().await;
        let mut got = self.observe(&running).await;
        if !done {
            got.insert("result".into(), "dead".into());
        }
        Ok(got.into())
    }

    /// False if a stage of the step has ended, or has no subscription.
    async fn act(&mut self, step: &Value) -> Result<bool> {
        let word = step.get(0).and_then(Value::as_str).context("expected a step's name")?;
        let stages = if word == "subscribe" { 1..3 } else { 1..2 };
        for index in stages {
            let id = step.get(index).and_then(Value::as_str).context("expected a stage")?;
            if each!(self.handle(id)?, stage => stage.has_ended()) {
                return Ok(false);
            }
        }
        match word {
            "subscribe" => {
                let (_, consumer, producer, options): (String, String, String, SubscribeOpts) = parse(step)?;
                self.subscribe(&consumer, &producer, options).await?;
            }
            "ask" => {
                let (_, consumer, demand): (String, String, usize) = parse(step)?;
                let Some(subscription) = self.newest.get(&consumer) else { return Ok(false) };
                each!(self.handle(&consumer)?, stage => stage.ask(subscription, demand).await);
            }
            "notify" => {
                let (_, producer, events): (String, String, Vec<i64>) = parse(step)?;
                match self.handle(&producer)? {
                    Handle::Source(stage) => drop(stage.cast(Notify(events)).await),
                    Handle::Middle(stage) => drop(stage.cast(Notify(events)).await),
                    Handle::Sink(_) => bail!("a consumer cannot emit"),
                }
            }
            "info" => {
                let (_, stage, info): (String, String, u64) = parse(step)?;
                each!(self.handle(&stage)?, stage => drop(stage.info(info).await));
            }
            "cancel" => {
                let (_, consumer, word): (String, String, String) = parse(step)?;
                let Some(subscription) = self.newest.get(&consumer) else { return Ok(false) };
                each!(self.handle(&consumer)?, stage => stage.cancel(subscription, reason(&word)).await);
            }
            "demand" => {
                let (_, producer, word): (String, String, String) = parse(step)?;
                each!(self.handle(&producer)?, stage => stage.set_demand(mode(&word)?).await);
            }
            "stop" => {
                let (_, stage, word): (String, String, String) = parse(step)?;
                each!(self.handle(&stage)?, stage => drop(stage.stop(reason(&word)).await));
            }
            other => bail!("unknown step `{other}`"),
        }
        Ok(true)
    }

    async fn subscribe(&mut self, consumer: &str, producer: &str, options: SubscribeOpts) -> Result<()> {
        let mut subscribe = Subscribe::new();
        if let Some(max) = options.max_demand {
            subscribe = subscribe.max_demand(max);
        }
        if let Some(min) = options.min_demand {
            subscribe = subscribe.min_demand(min);
        }
        subscribe = match options.cancel.as_deref() {
            None | Some("permanent") => subscribe.cancel(Cancel::Permanent),
            Some("transient") => subscribe.cancel(Cancel::Transient),
            Some("temporary") => subscribe.cancel(Cancel::Temporary),
            Some(other) => bail!("unknown cancel mode `{other}`"),
        };
        let SubscribeOpts { selector, partition, .. } = options;
        let subscribe = subscribe.dispatch(stated(selector, partition));
        let subscription = match (self.handle(consumer)?, self.handle(producer)?) {
            (Handle::Sink(to), Handle::Source(from)) => to.subscribe(from, subscribe).await?,
            (Handle::Sink(to), Handle::Middle(from)) => to.subscribe(from, subscribe).await?,
            (Handle::Middle(to), Handle::Source(from)) => to.subscribe(from, subscribe).await?,
            (Handle::Middle(to), Handle::Middle(from)) => to.subscribe(from, subscribe).await?,
            _ => bail!("a consumer subscribes to a producer"),
        };
        self.newest.insert(consumer.to_owned(), subscription);
        Ok(())
    }

    /// What has happened since the last step, and what every running stage has buffered.
    async fn observe(&self, were_running: &[String]) -> Map<String, Value> {
        let mut seen: BTreeMap<&'static str, ByStage<Value>> = BTreeMap::new();
        for Note { stage, what } in self.notes.take() {
            let (key, value) = what.recorded();
            seen.entry(key).or_default().entry(stage).or_default().push(value);
        }
        for id in were_running {
            if let Some(handle) =
                self.stages.get(id).filter(|handle| each!(handle, stage => stage.has_ended()))
            {
                let reason: Reason = each!(handle, stage => stage.ended().await);
                seen.entry("exits").or_default().insert(id.clone(), vec![reason.to_string().into()]);
            }
        }
        let pairs = |by_stage: ByStage<Value>| json!(by_stage.into_iter().collect::<Vec<_>>());
        let mut got: Map<_, _> =
            seen.into_iter().map(|(key, by_stage)| (key.to_owned(), pairs(by_stage))).collect();
        let mut buffered = vec![];
        for (id, handle) in self.running() {
            if !matches!(handle, Handle::Sink(_)) {
                buffered.push(json!([
                    id,
                    each!(handle, stage => stage.snapshot().await).map(|snapshot| snapshot.buffered)
                ]));
            }
        }
        got.insert("buffered".into(), buffered.into());
        got
    }

    fn running(&self) -> impl Iterator<Item = (&String, &Handle)> {
        self.stages.iter().filter(|(_, handle)| each!(handle, stage => !stage.has_ended()))
    }

    fn handle(&self, id: &str) -> Result<&Handle> {
        self.stages.get(id).with_context(|| format!("no stage `{id}`"))
    }
}

fn mode(word: &str) -> Result<DemandMode> {
    match word {
        "accumulate" => Ok(DemandMode::Accumulate),
        "forward" => Ok(DemandMode::Forward),
        other => bail!("unknown demand mode `{other}`"),
    }
}

fn parse<T: DeserializeOwned>(step: &Value) -> Result<T> {
    Ok(serde_json::from_value(step.clone())?)
}
