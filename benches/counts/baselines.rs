//! The counts that are committed.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/counts/baselines.json");

/// What each case costs.
#[derive(Serialize, Deserialize)]
pub(crate) struct Baselines {
    /// Another one compiles to other instructions.
    pub(crate) compiler: String,
    pub(crate) instructions_per_batch: BTreeMap<String, f64>,
}

impl Baselines {
    pub(crate) fn read() -> Result<Self> {
        let text = fs::read_to_string(FILE).context(FILE)?;
        serde_json::from_str(&text).context(FILE)
    }

    pub(crate) fn write(&self) -> Result<()> {
        fs::write(FILE, serde_json::to_string_pretty(self)? + "\n").context(FILE)?;
        println!("{FILE} is written: {} counts", self.instructions_per_batch.len());
        Ok(())
    }
}

/// The compiler, and what it compiles for.
pub(crate) fn compiler() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let text = String::from_utf8(output.context("rustc could not be started")?.stdout)?;
    let line =
        |key| text.lines().find_map(|line| line.strip_prefix(key)).context("rustc does not say what it is");
    Ok(format!("rustc {} for {}", line("release: ")?, line("host: ")?))
}
