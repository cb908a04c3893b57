//! Runs `gen_event` as a user does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

use std::collections::HashMap;
use std::io::Write;
use std::process::Stdio;

/// Of three callers at the same time.
fn output() -> String {
    let folder = tempfile::tempdir().unwrap();
    let lines = |letter| (0..300).map(|n| format!("{letter} {n}\n")).collect::<String>();
    let files = ["a", "b"].map(|letter| {
        let path = folder.path().join(letter);
        std::fs::write(&path, lines(letter)).unwrap();
        path
    });
    let mut child = program::command("gen_event")
        .arg("-")
        .args(files)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines("stdin").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn said_by<'a>(who: &str, output: &'a str) -> Vec<&'a str> {
    output.lines().filter_map(|line| line.strip_prefix(who)?.strip_prefix(' ')).collect()
}

#[test]
fn every_handler_gets_every_event_in_the_same_order() {
    let output = output();
    let events = said_by("handler[0]", &output);
    for handler in ["handler[1]", "handler[2]", "handler[3]"] {
        assert_eq!(said_by(handler, &output), events);
    }
    for caller in ["stdin", "a", "b"] {
        let numbers: Vec<_> = events.iter().flat_map(|event| said_by(caller, event)).collect();
        assert_eq!(numbers, (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
    }
    assert_eq!(events.len(), 900);
}

/// A handler asks for one event at a time: when one is dispatched, all of them have handled the one before. And its caller
/// sends no other before it knows.
#[test]
fn a_caller_waits_until_its_event_is_dispatched() {
    let output = output();
    let events = said_by("handler[0]", &output);
    let places: HashMap<_, _> = output.lines().enumerate().map(|(place, line)| (line, place)).collect();
    let handled = |event: &str| [0, 1, 2, 3].map(|n| places[format!("handler[{n}] {event}").as_str()]);
    let dispatched = |event: &str| places[format!("dispatched {event}").as_str()];
    for pair in events.windows(2) {
        assert!(handled(pair[0]).iter().all(|place| *place < dispatched(pair[1])), "{pair:?}");
    }
    for caller in ["stdin", "a", "b"] {
        for n in 1..300 {
            let before = dispatched(&format!("{caller} {}", n - 1));
            assert!(handled(&format!("{caller} {n}")).iter().all(|place| before < *place), "{caller} {n}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let output = program::command("gen_event").arg("/nowhere").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot read /nowhere"));
}

#[test]
fn an_error_ends_it_while_standard_input_is_open() {
    let error = "Error: cannot read /nowhere: ";
    program::fails_beside_open_stdin(program::command("gen_event").args(["-", "/nowhere"]), error);
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    program::ends_when_nobody_reads(&mut program::command("gen_event"), b"a\nb\n");
}
