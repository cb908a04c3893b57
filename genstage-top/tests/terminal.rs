//! `genstage-top` in a real terminal, attached to a pipeline in this process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

mod tmux;

use genstage::Running;
use genstage::prelude::*;
use genstage_top::{Address, Server};
use tmux::Terminal;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

fn pipeline() -> Running {
    let (pipeline, _) = pipeline! {
        numbers = from_iter(0u64..);
        twice   = map(|n: u64| n.wrapping_mul(2)), replicas: 2;

        numbers => twice [max_demand: 100] => for_each(|_: u64| ());
    }
    .into_parts();
    pipeline.start().unwrap()
}

/// A pipeline that is served, at that address; where.
fn serve(runtime: &Runtime, address: &str) -> (Running, Address, JoinHandle<()>) {
    runtime.block_on(async {
        let (running, server) = (pipeline(), Server::bind(&address.parse().unwrap()).await.unwrap());
        let address = server.address().unwrap();
        let serving = tokio::spawn(server.serve(running.watch()));
        (running, address, serving)
    })
}

fn program(address: &Address) -> String {
    format!("'{}' '{address}'", env!("CARGO_BIN_EXE_genstage-top"))
}

/// Whether rates are there, in the row of the sink.
fn has_rates(screen: &str) -> bool {
    let row = screen.lines().find(|line| line.contains("for_each") && line.contains("sink"));
    let rate = row.and_then(|row| row.split("sink").nth(1)).map(str::trim_start);
    rate.is_some_and(|rate| rate.starts_with(|letter: char| letter.is_ascii_digit()))
}

/// The row that is marked.
fn selected(screen: &str) -> &str {
    screen.lines().find(|line| line.starts_with('>')).unwrap_or_default()
}

#[test]
fn keys_and_sizes() {
    let runtime = Runtime::new().unwrap();
    let (_running, address, _serving) = serve(&runtime, "127.0.0.1:0");
    let terminal = Terminal::start(&program(&address));
    let screen = terminal.until("rates", has_rates);
    assert!(screen.contains("└ twice ×2") && screen.contains("numbers => twice"), "{screen}");
    assert!(!screen.contains("before"), "it is not on the alternate screen:\n{screen}");
    terminal.press(&["r"]);
    terminal.until_shown("twice[1]");
    terminal.press(&["Down", "j", "Down"]);
    terminal.until("a selected replica", |screen| selected(screen).contains("twice[1]"));
    terminal.press(&["k", "Up", "PageUp"]);
    terminal.until("the first row", |screen| selected(screen).contains("numbers"));
    terminal.press(&["s"]);
    terminal.until_shown("by busy");
    terminal.press(&["p"]);
    terminal.until_shown("PAUSED");
    terminal.press(&["p", "?"]);
    terminal.until_shown("let the picture stand still");
    terminal.resize(50, 10);
    terminal.until_shown("50x10, needs 60x12.");
    terminal.resize(120, 40);
    terminal.press(&["h"]);
    terminal.until("keys in the last line of 40", |screen| {
        has_rates(screen) && screen.lines().nth(39).is_some_and(|line| line.starts_with("q quit"))
    });
    terminal.press(&["q"]);
    terminal.until_ended(0);
}

#[test]
fn it_follows_a_program_that_goes_and_comes_back() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = format!("unix:{}", folder.path().join("top").display());
    let (running, address, serving) = serve(&runtime, &path);
    let terminal = Terminal::start(&program(&address));
    terminal.until("rates", has_rates);
    // In the middle of the work, so there is no last state.
    serving.abort();
    terminal.until_shown("! the program has gone, trying again");
    drop(running);
    let (running, ..) = serve(&runtime, &path);
    terminal.until("rates again", |screen| has_rates(screen) && !screen.contains("trying again"));
    runtime.block_on(running.drain()).unwrap();
    terminal.until_shown("genstage-top  ended  3 nodes, 4 stages");
    terminal.press(&["C-c"]);
    terminal.until_ended(130);
}
