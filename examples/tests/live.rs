//! `word_count --live` in a real terminal, and `--serve`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

mod program;
#[path = "../../genstage-top/tests/tmux/mod.rs"]
mod tmux;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use genstage_top::{Address, Client, print_once};
use tmux::Terminal;

fn word_count() -> String {
    program::path("word_count").display().to_string()
}

/// Whether the row of a stage has a rate behind its role.
fn has_rate(screen: &str, stage: &str, role: &str) -> bool {
    let row = screen.lines().find(|line| line.contains(stage) && line.contains(role));
    let rate = row.and_then(|row| row.split(role).nth(1)).map(str::trim_start);
    rate.is_some_and(|rate| rate.starts_with(|letter: char| letter.is_ascii_digit()))
}

fn has_rates(screen: &str) -> bool {
    [("read", "source"), ("count", "middle"), ("merge", "sink")]
        .iter()
        .all(|(stage, role)| has_rate(screen, stage, role))
}

fn text(folder: &Path) -> String {
    let path = folder.join("text");
    std::fs::write(&path, "a b a\n").unwrap();
    path.display().to_string()
}

#[test]
fn the_words_are_printed_when_the_user_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let (program, text) = (word_count(), text(folder.path()));
    let terminal = Terminal::start(&format!("'{program}' --live --repeat 2000 '{text}'"));
    let screen = terminal.until_shown("genstage-top  ended");
    assert!(has_rates(&screen) && screen.contains("read => count"), "{screen}");
    terminal.press(&["q"]);
    let screen = terminal.until_ended(0);
    assert!(screen.contains("4000\ta\n") || screen.contains("4000    a\n"), "{screen}");
    assert!(screen.contains("2000 files, 0 skipped, 12000 bytes, 6000 words, 2 distinct"), "{screen}");
}

#[test]
fn what_is_skipped_is_said_when_the_user_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let (program, text) = (word_count(), text(folder.path()));
    let terminal = Terminal::start(&format!("'{program}' --live '{text}' /nowhere"));
    let screen = terminal.until_shown("genstage-top  ended");
    assert!(!screen.contains("skipped"), "{screen}");
    terminal.press(&["Escape"]);
    let screen = terminal.until_ended(0);
    assert!(screen.contains("skipped /nowhere: No such file"), "{screen}");
}

#[test]
fn it_shows_rates_while_it_counts_and_takes_an_interrupt() {
    let folder = tempfile::tempdir().unwrap();
    let (program, text) = (word_count(), text(folder.path()));
    let terminal = Terminal::start(&format!("'{program}' --live --repeat 1000000000 '{text}'"));
    let screen = terminal.until("rates", |screen| screen.contains("running") && has_rates(screen));
    assert!(!screen.contains("before"), "it is not on the alternate screen:\n{screen}");
    terminal.press(&["s"]);
    terminal.until_shown("by busy");
    terminal.resize(100, 30);
    terminal.until("keys in the last line of 30", |screen| {
        has_rates(screen) && screen.lines().nth(29).is_some_and(|line| line.starts_with("q quit"))
    });
    terminal.press(&["C-c"]);
    let screen = terminal.until_ended(1);
    assert!(screen.contains("Error: interrupted"), "{screen}");
}

#[test]
fn a_failure_is_said_when_the_user_has_left() {
    let terminal = Terminal::start(&format!("'{}' --live --strict /nowhere", word_count()));
    terminal.until_shown("genstage-top  ended");
    terminal.press(&["q"]);
    let screen = terminal.until_ended(1);
    assert!(screen.contains("cannot count /nowhere"), "{screen}");
}

#[test]
fn others_can_look_while_it_counts() {
    let mut child = program::command("word_count")
        .args(["--serve", "127.0.0.1:0", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    let address: Address = first.strip_prefix("serving the pipeline at ").unwrap().parse().unwrap();
    let mut client = Client::connect(&address).unwrap();
    let shown = print_once(&address, 80).unwrap();
    assert!(shown.contains("running  3 nodes") && shown.contains("count => merge"), "{shown}");
    stdin.write_all(b"some words and some more").unwrap();
    drop(stdin);
    let mut last = None;
    while let Some(snapshot) = client.next_snapshot().unwrap() {
        last = Some(snapshot);
    }
    assert!(last.is_some_and(|last| last.has_ended()), "the end was not to be seen");
    let rest: Vec<_> = said.map_while(Result::ok).collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("5 words")), "{rest:?}");
}
