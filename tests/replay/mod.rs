//! Plays recordings of GenStage against genstage, and compares.
//!
//! A recording is a file of JSON objects, one a line; `tests/conformance/README.md` describes the formats, which are told
//! apart by how the file's name begins.

mod buffer;
mod dispatch;
mod scenario;
mod split;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How one file fared.
#[derive(Debug, Default)]
pub struct Report {
    /// How many lines came out as recorded.
    pub passed: usize,
    /// The others.
    pub failures: Vec<Failure>,
}

/// A line that came out otherwise.
#[derive(Debug)]
pub struct Failure {
    /// Its number, from 1.
    pub line: usize,
    /// Where it differs first.
    pub mismatch: Mismatch,
}

/// A step that came out otherwise.
#[derive(Debug)]
pub struct Mismatch {
    /// The step's number, from 1, and the step.
    pub step: String,
    /// What the recording says.
    pub expected: Value,
    /// What happened.
    pub got: Value,
}

type Player = fn(Value) -> Result<Option<Mismatch>>;

const PLAYERS: [(&str, Player); 4] = [
    ("split", split::play),
    ("buffer", buffer::play),
    ("dispatch", dispatch::play),
    ("scenarios", scenario::play),
];

/// Plays a file of recordings.
///
/// # Errors
///
/// A file that cannot be read, is of no known format, or has a malformed line: the error names the file and the line.
pub fn file(path: &Path) -> Result<Report> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some((_, play)) = PLAYERS.iter().find(|(format, _)| name.starts_with(format)) else {
        let formats = PLAYERS.map(|(format, _)| format!("`{format}…`")).join(", ");
        bail!("{}: unknown format, a file's name begins with one of {formats}", path.display());
    };
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut report = Report::default();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line_number = index + 1;
        let place = || format!("{}:{line_number}", path.display());
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&line).map_err(Into::into).and_then(play).with_context(place)? {
            None => report.passed += 1,
            Some(mismatch) => report.failures.push(Failure { line: line_number, mismatch }),
        }
    }
    Ok(report)
}

/// Compares one step; what differs.
fn compare(
    index: usize,
    step: &impl serde::Serialize,
    expected: &Value,
    got: Value,
) -> Result<Option<Mismatch>> {
    if *expected == got {
        return Ok(None);
    }
    let step = format!("{} {}", index + 1, serde_json::to_string(step)?);
    Ok(Some(Mismatch { step, expected: expected.clone(), got }))
}

/// Every step has to have its outcome.
fn same_length(steps: usize, out: usize) -> Result<()> {
    if steps != out {
        bail!("{steps} steps, but {out} outcomes");
    }
    Ok(())
}
