//! Cleans and groups the lines of a piece.

use std::sync::Arc;

use genstage::Result;
use rustc_hash::FxHashMap;
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::Load;
use crate::read::{Piece, Position};

/// The rows of a group.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) rows: u64,
    pub(crate) sum: f64,
}

/// What the lines of a piece come to.
pub(crate) struct Grouped {
    pub(crate) start: Position,
    pub(crate) end: Position,
    pub(crate) groups: FxHashMap<String, Rows>,
    /// The lines that are no rows, by their numbers, and why.
    pub(crate) rejected: Vec<(u64, String)>,
}

/// Groups a piece in another thread: it computes for a while.
pub(crate) async fn grouped(fields: Arc<Fields>, piece: Result<Piece>) -> Result<Grouped> {
    let piece = piece?;
    Ok(spawn_blocking(move || fields.group(&piece)).await?)
}

/// The fields that count, as JSON pointers.
pub(crate) struct Fields {
    by: String,
    sum: Option<String>,
}

impl Fields {
    pub(crate) fn new(load: &Load) -> Self {
        let pointer = |field: &String| format!("/{field}");
        Self { by: pointer(&load.by), sum: load.sum.as_ref().map(pointer) }
    }

    fn group(&self, piece: &Piece) -> Grouped {
        let (mut groups, mut rejected) = (FxHashMap::<_, Rows>::default(), Vec::new());
        let lines = piece.text.split(|&byte| byte == b'\n').zip(piece.start.lines + 1..);
        for (line, number) in lines.filter(|(line, _)| !line.trim_ascii().is_empty()) {
            match self.clean(line) {
                Ok((key, amount)) => {
                    let group = groups.entry(key).or_default();
                    group.rows += 1;
                    group.sum += amount;
                }
                Err(reason) => rejected.push((number, reason)),
            }
        }
        Grouped { start: piece.start, end: piece.end, groups, rejected }
    }

    /// To which group a line belongs, and what it adds to it; or why it is no row.
    fn clean(&self, line: &[u8]) -> Result<(String, f64), String> {
        let row: Value = serde_json::from_slice(line)
            .map_err(|error| format!("no JSON from column {} on", error.column()))?;
        let key = row.pointer(&self.by).and_then(text).ok_or_else(|| format!("no text at {}", self.by))?;
        let amount = match &self.sum {
            Some(sum) => row.pointer(sum).and_then(number).ok_or_else(|| format!("no number at {sum}"))?,
            None => 0.0,
        };
        Ok((key, amount))
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A number, also one that stands in quotes.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => value.as_f64(),
    }
}
