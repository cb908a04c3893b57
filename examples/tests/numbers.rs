//! Runs `numbers` as a user does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

#[test]
fn every_even_number_is_printed_once_by_one_of_two_printers() {
    let output = program::command("numbers").output().unwrap();
    assert!(output.status.success());
    let mut numbers: Vec<u64> = vec![];
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (printer, number) = line.split_once(' ').unwrap();
        assert!(["printer[0]", "printer[1]"].contains(&printer), "{line}");
        numbers.push(number.parse().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..1000).step_by(2).collect::<Vec<_>>());
}
