//! Runs `producer_consumer` as a user does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// How many more numbers than are printed may be on their way: the window of ten before B, times three, what B makes of one
/// message of that, and the window before C.
const AHEAD: usize = 10 * 3 + 10 * 3 + 10;

/// How far A counted and what C printed; A was never further ahead than that.
fn outcome(output: &str) -> (u64, Vec<u64>) {
    let (mut counted, mut printed) = (0, vec![]);
    for line in output.lines() {
        if let Some(numbers) = line.strip_prefix("C prints [") {
            printed.extend(numbers.trim_end_matches(']').split(", ").map(|n| n.parse::<u64>().unwrap()));
        } else if line.starts_with('A') {
            counted = line.rsplit("..").next().unwrap().parse().unwrap();
        }
        assert!(3 * counted as usize <= printed.len() + AHEAD, "{line}");
    }
    (counted, printed)
}

fn three_of_each(counted: u64) -> Vec<u64> {
    (0..counted).flat_map(|n| [n, n + 1, n + 2]).collect()
}

#[test]
fn a_counts_no_further_than_c_has_asked_for() {
    let output = program::command("producer_consumer").args(["--numbers", "1000", "--takes", "0"]).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let outcome = outcome(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(outcome, (1000, three_of_each(1000)));
}

#[cfg(unix)]
#[test]
fn ctrl_c_has_printed_what_was_counted() {
    let mut child = program::command("producer_consumer")
        .args(["--takes", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut output = String::new();
    while !output.contains("C prints") {
        assert_ne!(stdout.read_line(&mut output).unwrap(), 0);
    }
    program::interrupt(&child);
    stdout.read_to_string(&mut output).unwrap();
    assert!(child.wait().unwrap().success());
    let (counted, printed) = outcome(&output);
    assert_eq!(printed, three_of_each(counted));
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    program::ends_when_nobody_reads(program::command("producer_consumer").args(["--takes", "0"]), b"");
}
