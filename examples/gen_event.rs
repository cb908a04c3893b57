//! GenStage's example of that name: a broadcaster in place of an event manager. Whoever has an event calls it; it keeps
//! events until every handler wants one, and answers each caller when its event has been dispatched.
//!
//! ```text
//! cargo run --example gen_event -- [PATH…]
//! ```

use std::collections::VecDeque;
use std::future::pending;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Parser;
use futures_util::future::try_join_all;
use genstage::prelude::*;
use genstage::{Error, ReplyTo, StageRef};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, stdin};

/// Has four handlers print every line of the inputs. Each input is read by a caller of its own, which says when a line has
/// been dispatched, and then reads the next.
#[derive(Parser)]
struct Arguments {
    /// Print the pipeline as a Mermaid flowchart, and do nothing else
    #[arg(long)]
    graph: bool,
    /// Files, and `-` for standard input
    #[arg(default_value = "-", value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Keeps the events that nobody wants yet in a queue of its own, and not in the stage's buffer, which would discard some if
/// it were full: here their callers wait, so there are no more of them than there are callers.
#[stage(producer, dispatcher = broadcast)]
#[derive(Default)]
struct Broadcaster {
    queue: VecDeque<(String, ReplyTo<()>)>,
    wanted: usize,
}

/// An event for all handlers; the answer is that it has been sent to them.
struct SyncNotify(String);

impl Call<SyncNotify> for Broadcaster {
    type Reply = ();

    async fn handle_call(
        &mut self,
        SyncNotify(event): SyncNotify,
        reply: ReplyTo<()>,
        cx: &mut Context<Self>,
    ) -> Result {
        self.queue.push_back((event, reply));
        self.dispatch(cx);
        Ok(())
    }
}

impl Producer for Broadcaster {
    type Event = String;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        self.wanted += demand;
        self.dispatch(cx);
        Ok(())
    }
}

impl Broadcaster {
    fn dispatch(&mut self, cx: &mut Context<Self>) {
        let count = self.wanted.min(self.queue.len());
        self.wanted -= count;
        for (event, reply) in self.queue.drain(..count) {
            cx.emit(event);
            reply.after_events((), cx);
        }
    }
}

/// Prints its own name and the event.
#[stage(consumer)]
struct Handler;

impl Consumer for Handler {
    type Event = String;

    async fn handle_events(&mut self, events: &mut Batch<String>, cx: &mut Context<Self>) -> Result {
        for event in events.drain() {
            match writeln!(io::stdout(), "{} {event}", cx.name()) {
                // Whoever reads has read enough: `| head`.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => cx.finish(),
                result => result?,
            }
        }
        Ok(())
    }
}

/// Sends the lines of a text one after the other.
async fn notify(broadcaster: &StageRef<Broadcaster>, path: &Path) -> Result {
    let name = |error| Error::new(error).context(format!("cannot read {}", path.display()));
    let mut lines = BufReader::new(open(path).await.map_err(name)?).lines();
    while let Some(line) = lines.next_line().await.map_err(name)? {
        if broadcaster.call(SyncNotify(line.clone())).await.is_err() {
            // No answer: the pipeline has ended, and says why.
            return pending().await;
        }
        // Where this cannot be printed, the handlers cannot print either.
        let _ = writeln!(io::stdout(), "dispatched {line}");
    }
    Ok(())
}

async fn open(path: &Path) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
    match path.as_os_str() == "-" {
        true => Ok(Box::new(stdin())),
        false => Ok(Box::new(File::open(path).await?)),
    }
}

#[tokio::main]
async fn main() {
    let status = match run().await {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("Error: {error:#}");
            1
        }
    };
    // At once: the runtime would wait for what is still being read from standard input.
    std::process::exit(status);
}

async fn run() -> Result {
    let Arguments { graph, paths } = Arguments::parse();
    let app = pipeline! {
        broadcaster = Broadcaster::default();
        handler     = Handler, replicas: 4;

        // One at a time: an event is dispatched when the slowest handler has handled the one before.
        broadcaster => handler [max_demand: 1];
    };
    if graph {
        print!("{}", app.graph().to_mermaid());
        return Ok(());
    }
    let (pipeline, handles) = app.into_parts();
    let mut notified = Ok(());
    let callers = paths.iter().map(|path| notify(&handles.broadcaster, path));
    let notify_all = async { notified = try_join_all(callers).await.map(drop) };
    // The pipeline ends before its callers do if a handler fails, or all of them have finished.
    eprintln!("{}", pipeline.run_until(notify_all).await?);
    notified
}
