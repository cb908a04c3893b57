//! Runs `rate_limiter` as a user does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

use std::collections::HashMap;

#[test]
fn so_many_of_each_producer_in_an_interval_and_all_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|letter| {
        let path = folder.path().join(letter);
        std::fs::write(&path, (0..100).map(|n| format!("{letter} {n}\n")).collect::<String>()).unwrap();
        path
    });
    let output =
        program::command("rate_limiter").args(["--events", "7", "--interval", "1"]).args(files).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let mut counts = HashMap::<_, usize>::new();
    let mut numbers = HashMap::<_, Vec<u32>>::new();
    for line in str::from_utf8(&output.stdout).unwrap().lines() {
        let [interval, producer, number] = line.split(' ').collect::<Vec<_>>()[..] else {
            unreachable!("{line}")
        };
        *counts.entry((interval, producer)).or_default() += 1;
        numbers.entry(producer).or_default().push(number.parse().unwrap());
    }
    assert!(counts.values().all(|count| *count <= 7), "{counts:?}");
    assert_eq!(numbers, HashMap::from(["a", "b"].map(|producer| (producer, (0..100).collect()))));
}

#[test]
fn what_cannot_be_read_is_named() {
    let output = program::command("rate_limiter").arg("/nowhere").output().unwrap();
    assert!(!output.status.success());
    let error = "stage `limiter` failed: cannot read /nowhere";
    assert!(String::from_utf8(output.stderr).unwrap().contains(error));
}

#[test]
fn an_error_ends_it_while_standard_input_is_open() {
    let error = "Error: stage `limiter` failed: cannot read /nowhere: ";
    program::fails_beside_open_stdin(program::command("rate_limiter").args(["-", "/nowhere"]), error);
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    program::ends_when_nobody_reads(&mut program::command("rate_limiter"), b"a\nb\n");
}
