//! Runs `consumer_supervisor` as a user does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

fn command(arguments: &[&str]) -> Command {
    let mut command = program::command("consumer_supervisor");
    command.args(arguments);
    command
}

fn sorted(output: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = output.lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn every_number_is_printed_once() {
    let output = command(&["--numbers", "1234", "--takes", "1"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(sorted(&String::from_utf8(output.stdout).unwrap()), (0..1234).collect::<Vec<_>>());
}

/// What the counter had emitted by then is printed, and nothing else.
#[cfg(unix)]
#[test]
fn ctrl_c_lets_the_tasks_finish() {
    let mut child =
        command(&["--takes", "10"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    for _ in 0..100 {
        stdout.read_line(&mut printed).unwrap();
    }
    program::interrupt(&child);
    stdout.read_to_string(&mut printed).unwrap();
    let mut summary = String::new();
    child.stderr.take().unwrap().read_to_string(&mut summary).unwrap();
    assert!(child.wait().unwrap().success(), "{summary}");
    let numbers = sorted(&printed);
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    let emitted = summary.lines().find(|line| line.starts_with("counter")).unwrap();
    assert_eq!(emitted.split_whitespace().nth(2), Some(numbers.len().to_string().as_str()));
}
