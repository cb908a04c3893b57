//! The same program twice: a source, so many stages that add one, and a sink.

use std::fmt::Write;

/// Who has written a program.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    /// With genstage.
    Genstage,
    /// A tokio task for each stage, and bounded channels of batches between them.
    ByHand,
}

impl Style {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Genstage => "genstage",
            Self::ByHand => "by hand",
        }
    }

    /// The program's text.
    pub(crate) fn program(self, stages: usize) -> String {
        match self {
            Self::Genstage => genstage(stages),
            Self::ByHand => by_hand(stages),
        }
    }
}

fn genstage(stages: usize) -> String {
    let mut text = GENSTAGE.to_owned();
    for n in 0..stages {
        text += &GENSTAGE_STAGE.replace("STAGE", &format!("Add{n}"));
    }
    let nodes = lines(stages, |text, n| writeln!(text, "        add{n} = Add{n} {{ by: 1 }};"));
    let chain = lines(stages, |text, n| write!(text, " => add{n}"));
    text + &GENSTAGE_MAIN.replace("NODES", nodes.trim()).replace("CHAIN", &chain)
}

fn by_hand(stages: usize) -> String {
    let mut text = BY_HAND.to_owned();
    for n in 0..stages {
        text += &BY_HAND_STAGE.replace("STAGE", &format!("Add{n}"));
    }
    let tasks = lines(stages, |text, n| {
        writeln!(text, "    let (sender, next) = mpsc::channel(2);")?;
        writeln!(text, "    tasks.spawn(Add{n} {{ by: 1 }}.run(events, sender));")?;
        writeln!(text, "    let events = next;")
    });
    text + &BY_HAND_MAIN.replace("TASKS", tasks.trim())
}

fn lines(stages: usize, line: impl Fn(&mut String, usize) -> std::fmt::Result) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = (0..stages).try_for_each(|n| line(&mut text, n));
    text
}

const GENSTAGE: &str = "\
use genstage::prelude::*;

#[stage(producer)]
struct Source { next: u64 }

impl Producer for Source {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let end = (self.next + demand as u64).min(10_000);
        cx.emit_all(self.next..end);
        self.next = end;
        if end == 10_000 { cx.finish(); }
        Ok(())
    }
}

#[stage(consumer)]
struct Sink { sum: u64 }

impl Consumer for Sink {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        for n in events.drain() { self.sum += n; }
        Ok(())
    }
}
";

const GENSTAGE_STAGE: &str = "
#[stage(producer_consumer)]
struct STAGE { by: u64 }

impl ProducerConsumer for STAGE {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().map(|n| n + self.by));
        Ok(())
    }
}
";

const GENSTAGE_MAIN: &str = "
#[tokio::main]
async fn main() -> Result {
    pipeline! {
        source = Source { next: 0 };
        sink = Sink { sum: 0 };
        NODES
        sourceCHAIN => sink;
    }
    .run()
    .await?;
    Ok(())
}
";

const BY_HAND: &str = "\
use anyhow::Result;
use tokio::sync::mpsc::{self, Receiver, Sender};

struct Source { next: u64 }

impl Source {
    async fn run(mut self, sender: Sender<Vec<u64>>) -> Result<()> {
        while self.next < 10_000 {
            let end = (self.next + 500).min(10_000);
            sender.send((self.next..end).collect()).await?;
            self.next = end;
        }
        Ok(())
    }
}

struct Sink { sum: u64 }

impl Sink {
    async fn run(mut self, mut events: Receiver<Vec<u64>>) -> Result<()> {
        while let Some(batch) = events.recv().await {
            for n in batch { self.sum += n; }
        }
        Ok(())
    }
}
";

const BY_HAND_STAGE: &str = "
struct STAGE { by: u64 }

impl STAGE {
    async fn run(self, mut events: Receiver<Vec<u64>>, sender: Sender<Vec<u64>>) -> Result<()> {
        while let Some(batch) = events.recv().await {
            sender.send(batch.into_iter().map(|n| n + self.by).collect()).await?;
        }
        Ok(())
    }
}
";

const BY_HAND_MAIN: &str = "
#[tokio::main]
async fn main() -> Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    let (sender, events) = mpsc::channel(2);
    tasks.spawn(Source { next: 0 }.run(sender));
    TASKS
    tasks.spawn(Sink { sum: 0 }.run(events));
    while let Some(ended) = tasks.join_next().await { ended??; }
    Ok(())
}
";
