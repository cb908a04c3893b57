use anyhow::Result;
use genstage::__private::Window;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Mismatch, compare, same_length};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    max: usize,
    min: usize,
    received: Vec<usize>,
    out: Vec<Value>,
}

pub(super) fn play(line: Value) -> Result<Option<Mismatch>> {
    let Recording { max, min, received, out } = serde_json::from_value(line)?;
    same_length(received.len(), out.len())?;
    let mut window = Window::new(Some(max), Some(min))?;
    window.open();
    for (index, (size, expected)) in received.iter().zip(&out).enumerate() {
        let (mut left, mut batches) = (*size, vec![]);
        while left > 0 {
            let batch = left.min(window.batch_size());
            left -= batch;
            batches.push((batch, window.handled(batch)));
        }
        let got = json!({ "batches": batches, "demand": window.outstanding() });
        if let Some(mismatch) = compare(index, size, expected, got)? {
            return Ok(Some(mismatch));
        }
    }
    Ok(None)
}
