mod play;
mod stages;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Mismatch, compare, same_length};
use play::Play;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    stages: Vec<StageSpec>,
    steps: Vec<Value>,
    out: Vec<Value>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageSpec {
    id: String,
    kind: String,
    style: Style,
    opts: StageOpts,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged)]
enum Style {
    Plain(String),
    With(String, u64),
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageOpts {
    buffer_size: Option<usize>,
    buffer_keep: Option<super::buffer::KeepWord>,
    demand: Option<String>,
    dispatcher: Option<DispatcherSpec>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum DispatcherSpec {
    Broadcast(BroadcastWord),
    Partition(PartitionWord, usize),
}

#[derive(Clone, Deserialize)]
enum BroadcastWord {
    #[serde(rename = "broadcast")]
    Word,
}

#[derive(Clone, Deserialize)]
enum PartitionWord {
    #[serde(rename = "partition")]
    Word,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscribeOpts {
    max_demand: Option<usize>,
    min_demand: Option<usize>,
    cancel: Option<String>,
    partition: Option<usize>,
    selector: Option<(i64, i64)>,
}

pub(super) fn play(line: Value) -> Result<Option<Mismatch>> {
    let Recording { stages, steps, out } = serde_json::from_value(line)?;
    same_length(steps.len(), out.len())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let mut play = Play::start(&stages)?;
        for (index, (step, expected)) in steps.iter().zip(&out).enumerate() {
            let got = play.step(step).await.with_context(|| format!("step {}: {step}", index + 1))?;
            let expected = without_empty_batches(expected.clone());
            if let Some(mismatch) = compare(index, step, &expected, got)? {
                return Ok(Some(mismatch));
            }
        }
        Ok(None)
    })
}

/// The reference calls event handlers with no events at all when a selector refuses a whole batch (defect D12). Nothing
/// else in an outcome comes of that, so the rest of the line still has to match.
fn without_empty_batches(mut outcome: Value) -> Value {
    if let Some(Value::Array(stages)) = outcome.get_mut("events") {
        for batches in stages.iter_mut().filter_map(|stage| stage.get_mut(1)).filter_map(Value::as_array_mut)
        {
            batches.retain(|batch| batch.as_array().is_none_or(|batch| !batch.is_empty()));
        }
        stages.retain(|stage| stage[1].as_array().is_none_or(|batches| !batches.is_empty()));
        if stages.is_empty() {
            outcome.as_object_mut().map(|outcome| outcome.remove("events"));
        }
    }
    outcome
}

/// What happened at the stages, by their names.
type ByStage<T> = BTreeMap<String, Vec<T>>;
