//! That `compare --json` prints what is documented. What the numbers are is asserted nowhere.

use std::process::Command;

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
}
