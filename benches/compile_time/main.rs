//! How long a program with stages takes to compile, beside the same program written by hand.
//!
//! Both programs are written to a folder of their own, their dependencies are built, and then only the programs
//! themselves, in turns.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use program::Style;

/// Compiles programs with genstage and the same programs written by hand, and prints the ratio.
#[derive(Parser)]
struct Arguments {
    /// How many stages the programs have between their source and their sink.
    #[arg(long, num_args = 1.., default_values_t = [1, 10, 50])]
    stages: Vec<usize>,
    /// How often each program is compiled; the medians are printed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

const COMMANDS: [&[&str]; 3] = [&["check"], &["build"], &["build", "--release"]];

fn main() -> Result<()> {
    let Arguments { stages, rounds } = Arguments::parse();
    println!("| stages | command | genstage | by hand | ratio |\n|---:|---|---:|---:|---:|");
    for stages in stages {
        let programs = [Style::Genstage, Style::ByHand].map(|style| Program::write(style, stages));
        let [ours, theirs] = programs;
        let (ours, theirs) = (ours?, theirs?);
        for command in COMMANDS {
            let (ours, theirs) = compare(&ours, &theirs, command, rounds)?;
            let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
            let command = command.join(" ");
            println!("| {stages} | cargo {command} | {ours:.2?} | {theirs:.2?} | {ratio:.2} |");
        }
    }
    Ok(())
}

/// The medians of compiling the one and the other.
fn compare(ours: &Program, theirs: &Program, command: &[&str], rounds: u32) -> Result<(Duration, Duration)> {
    // The dependencies, once.
    ours.compile(command)?;
    theirs.compile(command)?;
    let (mut our_times, mut their_times) = (vec![], vec![]);
    for _ in 0..rounds {
        our_times.push(ours.compile(command)?);
        their_times.push(theirs.compile(command)?);
    }
    Ok((median(our_times), median(their_times)))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A package with one program in it.
struct Program {
    folder: PathBuf,
    text: String,
}

impl Program {
    fn write(style: Style, stages: usize) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a folder")?;
        let folder =
            root.join("target/compile_time").join(format!("{}_{stages}", style.name().replace(' ', "_")));
        fs::create_dir_all(folder.join("src"))?;
        // The same versions as here, and no look at the registry.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        let genstage = root.join("genstage");
        fs::write(folder.join("Cargo.toml"), MANIFEST.replace("GENSTAGE", &genstage.display().to_string()))?;
        Ok(Self { folder, text: style.program(stages) })
    }

    /// Compiles the program, after a change to it.
    fn compile(&self, command: &[&str]) -> Result<Duration> {
        fs::write(self.folder.join("src/main.rs"), &self.text)?;
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(command).args(["--quiet", "--offline"]).current_dir(&self.folder);
        cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_TARGET_DIR", self.folder.with_file_name("target"));
        let start = Instant::now();
        let status = cargo.status().context("cargo could not be started")?;
        let time = start.elapsed();
        ensure!(status.success(), "the program in {} does not compile", self.folder.display());
        Ok(time)
    }
}

const MANIFEST: &str = r#"[package]
name = "program"
version = "0.0.0"
edition = "2024"

[dependencies]
anyhow = "1"
genstage = { path = "GENSTAGE" }
tokio = { version = "1", features = ["macros", "rt-multi-thread", "sync"] }

[workspace]
"#;
