use anyhow::Result;
use genstage::__private::{Buffer, Capacity, Keep};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Mismatch, compare, same_length};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    capacity: Option<usize>,
    keep: KeepWord,
    ops: Vec<Op>,
    out: Vec<Value>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeepWord {
    First,
    Last,
}

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Op {
    Store(StoreTag, Vec<i64>),
    Take(TakeTag, usize),
    Info(InfoTag, u64),
}

/// The first word of an operation.
macro_rules! tag {
    ($tag:ident, $word:literal) => {
        #[derive(Deserialize, Serialize)]
        enum $tag {
            #[serde(rename = $word)]
            Word,
        }
    };
}

tag!(StoreTag, "store");
tag!(TakeTag, "take");
tag!(InfoTag, "info");

impl From<KeepWord> for Keep {
    fn from(word: KeepWord) -> Self {
        match word {
            KeepWord::First => Self::First,
            KeepWord::Last => Self::Last,
        }
    }
}

pub(super) fn play(line: Value) -> Result<Option<Mismatch>> {
    let Recording { capacity, keep, ops, out } = serde_json::from_value(line)?;
    same_length(ops.len(), out.len())?;
    let mut buffer = Buffer::new(capacity.map_or(Capacity::Unbounded, Capacity::Events), keep.into());
    for (index, (op, expected)) in ops.iter().zip(&out).enumerate() {
        let mut infos = vec![];
        let mut got = match op {
            Op::Store(_, events) => {
                let discarded = buffer.store(&mut events.clone(), &mut infos);
                json!({ "discarded": discarded, "infos": infos })
            }
            Op::Info(_, info) => json!({ "stored": buffer.store_info(*info) }),
            Op::Take(_, wanted) => {
                let mut events = vec![];
                buffer.take(*wanted, &mut events, &mut infos);
                json!({ "events": events, "infos": infos, "left": wanted - events.len() })
            }
        };
        // Recorded of bounded buffers only: the reference's count is wrong for unbounded ones (D9).
        if expected.get("size").is_some() {
            got["size"] = json!(buffer.len());
        }
        if let Some(mismatch) = compare(index, op, expected, got)? {
            return Ok(Some(mismatch));
        }
    }
    Ok(None)
}
