//! Plays the recordings in this folder: all their lines have to pass.

#![allow(clippy::expect_used, reason = "a test that cannot go on is to fail")]

use std::path::Path;

use genstage_tests::replay;

fn passes(name: &str, lines: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(name);
    let report = replay::file(&path).expect("a well-formed recording");
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert_eq!(report.passed, lines);
}

#[test]
fn splitting_and_refilling() {
    passes("split.jsonl", 150);
}

#[test]
fn the_buffer() {
    passes("buffer.jsonl", 250);
}

#[test]
fn the_dispatchers() {
    passes("dispatch.jsonl", 444);
}
