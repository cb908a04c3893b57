//! Runs `two_machines` as a user does, on real brokers, and counts the same words once more, one after the other.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on is to fail"
)]

#[path = "../../../connectors/genstage-nats/tests/jetstream/server.rs"]
#[allow(dead_code, reason = "these servers do not crash")]
mod server;
#[path = "../../tests/words/mod.rs"]
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Output, Stdio};
use std::thread::available_parallelism;
use std::time::Duration;

use async_nats::jetstream::consumer::Info;
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context};
use async_nats::{Message, Subscriber};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::unconstrained;
use tokio::time::{sleep, timeout};

use server::Server;
use words::{sequential_count, text};

const LONG: Duration = Duration::from_secs(120);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_two_machines"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// Whether it is content, what it prints, and what it says.
async fn output(command: &mut Command) -> (bool, String, String) {
    ended(command.spawn().unwrap()).await
}

async fn ended(child: Child) -> (bool, String, String) {
    let output = timeout(LONG, child.wait_with_output()).await.expect("it goes on");
    let Output { status, stdout, stderr } = output.unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

async fn signal(name: &str, child: &Child) {
    let process = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([name, &process]).status().await.unwrap().success());
}

/// A folder of some texts, how long they are, and their words as they are to be printed.
fn texts(files: u64) -> (TempDir, usize, String) {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<_> = (0..files).map(|seed| text(1_500_000, seed)).collect();
    for (number, text) in texts.iter().enumerate() {
        fs::write(folder.path().join(number.to_string()), text).unwrap();
    }
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    (folder, texts.iter().map(|text| text.len()).sum(), sequential_count(&texts))
}

/// A coordinator in the middle of a run.
struct Coordinator {
    child: Child,
    stderr: BufReader<ChildStderr>,
    server: String,
    run: String,
    streams: Context,
}

impl Coordinator {
    /// Starts it, and waits until it has said how others join it.
    async fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        timeout(LONG, stderr.read_line(&mut line)).await.unwrap().unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        let ["more", "workers:", "two_machines", "worker", "--server", server, run] = words[..] else {
            panic!("{line}")
        };
        let streams = jetstream::new(async_nats::connect(server).await.unwrap());
        Self { child, stderr, server: server.to_owned(), run: run.to_owned(), streams }
    }

    fn worker(&self) -> Child {
        command(&["worker", "--server", &self.server, &self.run]).spawn().unwrap()
    }

    async fn exchange(&self, name: &str) -> Stream {
        self.streams.get_stream(format!("{}-{name}", self.run)).await.unwrap()
    }

    /// As many are stored there as may be.
    async fn is_full(&self, name: &str) -> bool {
        let exchange = self.exchange(name).await;
        let info = exchange.cached_info();
        info.state.messages == info.config.max_messages as u64
    }

    /// How many parts are with workers.
    async fn parts_held(&self) -> usize {
        match self.exchange("parts").await.consumer_info("workers").await {
            Ok(Info { num_ack_pending, .. }) => num_ack_pending,
            // No worker has come yet.
            Err(_) => 0,
        }
    }

    /// As [`ended`]; those whom it has started share its standard error, so all of them have ended, too.
    async fn end(mut self) -> (bool, String, String) {
        let mut said = String::new();
        let reading = timeout(LONG, self.stderr.read_to_string(&mut said));
        let ((succeeds, printed, _), read) = tokio::join!(ended(self.child), reading);
        read.expect("somebody goes on").unwrap();
        (succeeds, printed, said)
    }
}

/// Waits until something is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, waiting).await.expect("it is not so");
}

/// A broker, all that is put into exchanges from now on, and what its exchanges are made of.
async fn broker() -> (Server, Subscriber, Context) {
    let server = Server::start();
    let client = async_nats::connect(&server.url).await.unwrap();
    let put = client.subscribe("genstage.>").await.unwrap();
    let streams = jetstream::new(client);
    // When this is answered the subscription is there.
    is_empty(&streams).await;
    (server, put, streams)
}

async fn is_empty(streams: &Context) {
    let names: Vec<_> = streams.stream_names().try_collect().await.unwrap();
    assert!(names.is_empty(), "{names:?}");
}

/// The numbers of what was put into an exchange, by whomever.
fn numbers(put: &[Message], exchange: &str) -> BTreeSet<usize> {
    let put = put.iter().filter(|message| message.subject.as_str() == format!("genstage.{exchange}"));
    put.map(|message| message.headers.as_ref().unwrap().get("Nats-Msg-Id").unwrap().as_str().parse().unwrap())
        .collect()
}

#[tokio::test]
async fn counts_equal_a_sequential_count() {
    let (folder, bytes, counts) = texts(4);
    let bad = [text(500_000, 7).as_bytes(), b" \xff"].concat();
    fs::write(folder.path().join("bad"), &bad).unwrap();
    let (succeeds, printed, said) =
        output(command(&["--top", "all", "--workers", "2"]).arg(folder.path())).await;
    assert!(succeeds, "{said}");
    assert!(printed == counts, "the counts differ");
    assert!(said.contains(&format!("/bad: not UTF-8 at byte {}\n", bad.len() - 1)), "{said}");
    assert!(said.contains(&format!("\n4 files, 1 skipped, {bytes} bytes, ")), "{said}");
}

/// It has parts, and nobody will ever hear of them from it: others count them, and no part is missing, or counts twice.
#[tokio::test]
async fn a_worker_is_killed_in_the_middle() {
    let (server, mut put, streams) = broker().await;
    let (folder, _, counts) = texts(8);
    let coordinator = Coordinator::start(
        command(&["--top", "all", "--workers", "0", "--server", &server.url]).arg(folder.path()),
    )
    .await;
    until(async || coordinator.is_full("parts").await).await;
    // While the coordinator does not take counts, workers have nowhere to put any more of them, and hold on to their parts.
    signal("-STOP", &coordinator.child).await;
    let mut killed = coordinator.worker();
    until(async || coordinator.is_full("counts").await && coordinator.parts_held().await > 0).await;
    let other = coordinator.worker();
    killed.kill().await.unwrap();
    signal("-CONT", &coordinator.child).await;

    let run = coordinator.run.clone();
    let (succeeds, printed, said) = coordinator.end().await;
    assert!(succeeds, "{said}");
    assert!(printed == counts, "the counts differ");
    assert_eq!(ended(other).await, (true, String::new(), format!("{run} is over\n")));
    // Nothing is left, and what was put in before has come by now.
    is_empty(&streams).await;
    let put: Vec<_> = std::iter::from_fn(|| unconstrained(put.next()).now_or_never().flatten()).collect();
    let parts = numbers(&put, &format!("{run}-parts"));
    // More than both exchanges have room for.
    assert!(parts.iter().copied().eq(0..parts.len()) && parts.len() > 32 + 16, "{parts:?}");
    assert_eq!(numbers(&put, &format!("{run}-counts")), parts);
    assert!(put.iter().all(|message| !message.subject.ends_with("-dead")), "a part was given up");
}

/// Nobody whom it has started is left, the broker neither.
#[tokio::test]
async fn the_coordinator_is_killed_in_the_middle() {
    let mut coordinator = Coordinator::start(command(&["--workers", "2", "-"]).stdin(Stdio::piped())).await;
    let mut stdin = coordinator.child.stdin.take().unwrap();
    stdin.write_all(text(1_000_000, 1).as_bytes()).await.unwrap();
    until(async || coordinator.exchange("counts").await.cached_info().state.last_sequence > 0).await;
    let server = coordinator.server.clone();
    coordinator.child.kill().await.unwrap();
    let (succeeds, printed, _) = coordinator.end().await;
    assert!(!succeeds && printed.is_empty());
    assert!(async_nats::connect(server).await.is_err(), "the broker goes on");
}

/// The exchange does not know it again: it has another id.
#[tokio::test]
async fn what_comes_twice_counts_once() {
    let (server, mut put, streams) = broker().await;
    let text = text(1_000_000, 1);
    let arguments = ["--top", "all", "--server", &server.url, "-"];
    let mut coordinator = Coordinator::start(command(&arguments).stdin(Stdio::piped())).await;
    let mut stdin = coordinator.child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).await.unwrap();
    let subject = format!("genstage.{}-counts", coordinator.run);
    let counts = loop {
        let message = timeout(LONG, put.next()).await.expect("nothing is counted").unwrap();
        if message.subject.as_str() == subject {
            break message;
        }
    };
    streams.publish(subject, counts.payload).await.unwrap().await.unwrap();
    drop(stdin);
    let (succeeds, printed, said) = coordinator.end().await;
    assert!(succeeds, "{said}");
    assert!(printed == sequential_count(&[&text]), "the counts differ");
}

#[tokio::test]
async fn a_run_that_is_interrupted_leaves_nothing_behind() {
    let (server, _, streams) = broker().await;
    let arguments = ["--workers", "0", "--server", &server.url, "-"];
    let mut coordinator = Coordinator::start(command(&arguments).stdin(Stdio::piped())).await;
    let stdin = coordinator.child.stdin.take();
    let worker = coordinator.worker();
    until(async || coordinator.exchange("parts").await.cached_info().state.consumer_count > 0).await;
    signal("-INT", &coordinator.child).await;
    let (succeeds, printed, said) = coordinator.end().await;
    assert!(!succeeds && printed.is_empty());
    assert_eq!(said, "Error: interrupted\n");
    drop(stdin);
    assert!(ended(worker).await.0);
    is_empty(&streams).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    for (arguments, error) in [
        (&["--server", "nats://127.0.0.1:1"][..], "Error: connecting to 127.0.0.1:1: "),
        (&["--workers", "some"], "--workers"),
        (&["worker", "run"], "--server <URL>"),
    ] {
        let (succeeds, _, said) = output(&mut command(arguments)).await;
        assert!(!succeeds && said.contains(error), "{said}");
    }
    let (succeeds, _, said) = output(command(&[]).env("NATS_SERVER", "no-server")).await;
    assert!(!succeeds);
    let (first, rest) = said.split_once('\n').unwrap();
    assert!(first.starts_with("Error: cannot start the broker no-server: No such file"), "{said}");
    assert!(first.contains("`apt-get install nats-server`") && rest.is_empty(), "{said}");
    let server = Server::start();
    let (succeeds, _, said) = output(&mut command(&["worker", "--server", &server.url, "words-0"])).await;
    assert!(!succeeds && said.starts_with("Error: there is no run `words-0` at nats://"), "{said}");
}

#[tokio::test]
async fn the_help_says_how_to_use_several_machines() {
    let (succeeds, printed, _) = output(&mut command(&["--help"])).await;
    assert!(succeeds && printed.contains("worker") && printed.contains("nats://"), "{printed}");
}

#[tokio::test]
async fn the_readme_shows_what_it_prints() {
    let (_, section) = include_str!("../../README.md").split_once("\n## [`two_machines`]").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let pictures = section.split("```mermaid\n").skip(1).map(|part| part.split("```").next().unwrap());
    let cores = available_parallelism().map_or(1, usize::from);
    let pictures = pictures.collect::<String>().replace("× 2", &format!("× {cores}"));
    let (succeeds, printed, said) = output(&mut command(&["--graph"])).await;
    assert!(succeeds, "{said}");
    assert_eq!(printed, pictures);
}
