//! Has gungraun count.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, iter, str};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// The version of gungraun in `Cargo.toml`.
const VERSION: &str = "0.20.0";

/// How many more batches the long run of a case has than the short one.
const BATCHES: f64 = 1000.0;

pub(crate) fn has_valgrind() -> Result<bool> {
    match Command::new("valgrind").arg("--version").stdout(Stdio::null()).status() {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("valgrind could not be started"),
    }
}

/// Instructions per batch, for each case.
pub(crate) fn count() -> Result<BTreeMap<String, f64>> {
    let cases = ["bench", "--quiet", "-p", env!("CARGO_PKG_NAME"), "--bench", "counts", "--"];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(cases).arg("--output-format=json").env("PATH", path_with(&install()?)?);
    let output = cargo.stderr(Stdio::inherit()).output().context("cargo could not be started")?;
    ensure!(output.status.success(), "gungraun did not count: {}", str::from_utf8(&output.stdout)?);
    let mut runs = BTreeMap::<String, Runs>::new();
    for run in serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Run>() {
        let run = run?;
        let instructions = Some(run.instructions().context("gungraun counted no instructions")?);
        let runs = runs.entry(run.function_name).or_default();
        match run.id.as_str() {
            "short" => runs.short = instructions,
            _ => runs.long = instructions,
        }
    }
    runs.into_iter().map(|(case, runs)| Ok((case, runs.per_batch().context("a run is missing")?))).collect()
}

/// Makes sure of gungraun's runner; the folder it is in.
fn install() -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a folder")?;
    let root = workspace.join(format!("target/gungraun-runner-{VERSION}"));
    let bin = root.join("bin");
    if !bin.join("gungraun-runner").exists() {
        eprintln!("Building gungraun-runner {VERSION}, once, in {}", root.display());
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["install", "--quiet", "--locked", "gungraun-runner", "--version", VERSION, "--root"]);
        let status = cargo.arg(&root).status().context("cargo could not be started")?;
        ensure!(status.success(), "gungraun-runner {VERSION} could not be installed");
    }
    Ok(bin)
}

/// The search path, with a folder before all others.
fn path_with(folder: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(iter::once(folder.to_owned()).chain(env::split_paths(&path)))?)
}

#[derive(Default)]
struct Runs {
    short: Option<f64>,
    long: Option<f64>,
}

impl Runs {
    fn per_batch(&self) -> Option<f64> {
        Some((self.long? - self.short?) / BATCHES)
    }
}

/// What gungraun prints of a run.
#[derive(Deserialize)]
struct Run {
    function_name: String,
    id: String,
    profiles: Value,
}

impl Run {
    fn instructions(&self) -> Option<f64> {
        let values = self.profiles.pointer("/0/data/total/metrics/Ir/values")?;
        // Beside those of the run before, if there was one.
        values.get("new").or_else(|| values.pointer("/both/0"))?.as_f64()
    }
}
