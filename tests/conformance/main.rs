//! Plays the recordings in this folder.

#![allow(clippy::expect_used, reason = "a test that cannot go on is to fail")]

use std::path::Path;

use genstage_tests::replay;

/// Plays a file; exactly the lines that `README.md` names may fail.
fn play(name: &str, lines: usize, may_fail: &[usize]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(name);
    let report = replay::file(&path).expect("a well-formed recording");
    let failed: Vec<_> = report.failures.iter().map(|failure| failure.line).collect();
    assert_eq!(failed, may_fail, "{:#?}", report.failures);
    assert_eq!(report.passed + failed.len(), lines);
}

#[test]
fn splitting_and_refilling() {
    play("split.jsonl", 150, &[]);
}

#[test]
fn the_buffer() {
    play("buffer.jsonl", 250, &[]);
}

#[test]
fn the_dispatchers() {
    play("dispatch.jsonl", 444, &[]);
}

#[test]
fn stages() {
    play("scenarios.jsonl", 400, &[87, 127, 147, 181, 227, 287, 347, 384, 385]);
}

#[test]
fn malformed_lines_are_named() {
    let folder = std::env::temp_dir().join(format!("genstage-replay-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("split_bad.jsonl");
    let good = r#"{"max":1,"min":0,"received":[],"out":[]}"#;
    for bad in [
        "{",
        "{}",
        r#"{"max":1,"min":1,"received":[],"out":[]}"#,
        r#"{"max":1,"min":0,"received":[1],"out":[]}"#,
    ] {
        std::fs::write(&path, format!("{good}\n{bad}\n")).expect("a file");
        let error = format!("{:#}", replay::file(&path).expect_err("a malformed line"));
        assert!(error.contains("split_bad.jsonl:2"), "{error}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder to go");
    let error = format!("{:#}", replay::file(Path::new("other.jsonl")).expect_err("an unknown format"));
    assert!(error.contains("other.jsonl: unknown format"), "{error}");
}
