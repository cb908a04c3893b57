//! That `compare --json` prints what is documented. What the numbers are is asserted nowhere.

use std::process::Command;

<<<<<<< HEAD
use serde_json::Value;

const KEYS: [&str; 8] =
    ["work", "window", "consumers", "flavor", "rival", "ours_ns_per_event", "rival_ns_per_event", "ratio"];

#[test]
fn prints_one_object_a_line() {
    let mut compare = Command::new(env!("CARGO_BIN_EXE_compare"));
    let output = compare.args(["--quick", "--json", "--only", "call round trip"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Value> =
        output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(row).collect();
    for flavor in ["current_thread", "multi_thread"] {
        let rivals =
            rows.iter().filter(|row| row["flavor"] == flavor).map(|row| row["rival"].as_str().unwrap());
        assert_eq!(rivals.collect::<Vec<_>>(), ["tokio mpsc and oneshot", "ractor", "kameo"]);
    }
}

/// A row with all keys and no others, whose ratio is that of its times.
fn row(line: &[u8]) -> Value {
    let row: Value = serde_json::from_slice(line).unwrap();
    let keys = row.as_object().unwrap().keys();
    assert!(keys.len() == KEYS.len() && keys.into_iter().all(|key| KEYS.contains(&key.as_str())), "{row}");
    assert_eq!(row["work"], "call round trip");
    let ratio = row["rival_ns_per_event"].as_f64().unwrap() / row["ours_ns_per_event"].as_f64().unwrap();
    assert!((row["ratio"].as_f64().unwrap() / ratio - 1.0).abs() < 1e-9, "{row}");
    row
=======
use anyhow::Result;
use serde::Deserialize;

/// All keys of a line, and no others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    work: String,
    window: usize,
    consumers: usize,
    flavor: String,
    rival: String,
    ours_ns_per_event: f64,
    rival_ns_per_event: f64,
    ratio: f64,
}

#[test]
fn prints_one_object_a_line() -> Result<()> {
    let mut compare = Command::new(env!("CARGO_BIN_EXE_compare"));
    let output = compare.args(["--quick", "--json", "--only", "call round trip"]).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Row> =
        String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    for row in &rows {
        assert_eq!((row.work.as_str(), row.window, row.consumers), ("call round trip", 1, 1));
        assert!((row.rival_ns_per_event / row.ours_ns_per_event / row.ratio - 1.0).abs() < 1e-9);
    }
    for flavor in ["current_thread", "multi_thread"] {
        let rivals = rows.iter().filter(|row| row.flavor == flavor).map(|row| row.rival.as_str());
        assert_eq!(rivals.collect::<Vec<_>>(), ["tokio mpsc and oneshot", "ractor", "kameo"]);
    }
    Ok(())
>>>>>>> 97824b3 (A test that compare prints the objects that are documented)
}
