//! What stages cost that do nothing: their memory, and the time to start, wire and stop many of them.

use std::alloc::System;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use genstage::prelude::*;
use genstage::{Cancel, Reason, StageRef, Subscribe};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Starts, wires and stops stages that do nothing, and prints how long it takes and how much memory they have.
#[derive(Parser)]
struct Arguments {
    /// How many stages there are.
    #[arg(long, default_value_t = 100_000)]
    stages: usize,
}

/// Is asked for events, and has none.
#[stage(producer)]
struct Silent;

impl Producer for Silent {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> genstage::Result {
        Ok(())
    }
}

/// Waits for events.
#[stage(consumer)]
struct Waiting;

impl Consumer for Waiting {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> genstage::Result {
        Ok(())
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let Arguments { stages } = Arguments::parse();
    println!("| {stages} stages | start | wire | stop | bytes per stage |\n|---|---:|---:|---:|---:|");
    let (spawned, pipeline) = (in_pairs(stages).await?, in_one_pipeline(stages).await?);
    println!("| spawned, in pairs | {spawned} |\n| in one pipeline | {pipeline} |");
    Ok(())
}

/// What so many stages cost.
struct Cost {
    start: Duration,
    wire: Duration,
    stop: Duration,
    bytes_per_stage: usize,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, wire, stop, bytes_per_stage } = self;
        write!(f, "{start:.2?} | {wire:.2?} | {stop:.2?} | {bytes_per_stage}")
    }
}

/// Stages that are spawned each on its own; half of them subscribe to the other half.
async fn in_pairs(stages: usize) -> Result<Cost> {
    let (before, clock) = (allocated(), Instant::now());
    let pairs: Vec<_> = (0..stages / 2).map(|_| (Silent.spawn(), Waiting.spawn())).collect();
    for (producer, consumer) in &pairs {
        settled(producer).await;
        settled(consumer).await;
    }
    let start = clock.elapsed();

    let clock = Instant::now();
    for (producer, consumer) in &pairs {
        consumer.subscribe(producer, Subscribe::new().cancel(Cancel::Complete)).await?;
    }
    for (producer, consumer) in &pairs {
        settled(consumer).await;
        settled(producer).await;
    }
    let wire = clock.elapsed();
    let bytes_per_stage = (allocated() - before) / stages;

    let clock = Instant::now();
    for (producer, consumer) in &pairs {
        producer.stop(Reason::Normal).await;
        consumer.ended().await;
    }
    Ok(Cost { start, wire, stop: clock.elapsed(), bytes_per_stage })
}

/// One producer, and the others its consumers.
async fn in_one_pipeline(stages: usize) -> Result<Cost> {
    let (before, clock) = (allocated(), Instant::now());
    let app = pipeline! {
        silent = Silent;
        waiting = Waiting, replicas: stages - 1;
        silent => waiting;
    };
    let wire = clock.elapsed();

    let clock = Instant::now();
    let app = app.start()?;
    for waiting in &app.waiting {
        settled(waiting).await;
    }
    settled(&app.silent).await;
    let start = clock.elapsed();
    let bytes_per_stage = (allocated() - before) / stages;

    let clock = Instant::now();
    app.stop(Reason::Normal).await?;
    Ok(Cost { start, wire, stop: clock.elapsed(), bytes_per_stage })
}

/// Waits until a stage has done what it was told before.
async fn settled<S: Spawn>(stage: &StageRef<S>) {
    stage.snapshot().await;
}

/// How many bytes are allocated and not freed.
fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}
