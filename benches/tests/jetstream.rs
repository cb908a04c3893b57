//! That `jetstream --json` prints what is documented. What the numbers are is asserted nowhere.

use std::process::Command;

use anyhow::Result;
use serde::Deserialize;

/// All keys of a line, and no others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    server: String,
    work: String,
    rival: String,
    ours_events_per_s: f64,
    rival_events_per_s: f64,
    ratio: f64,
}

#[test]
fn prints_one_object_a_line() -> Result<()> {
    let mut jetstream = Command::new(env!("CARGO_BIN_EXE_jetstream"));
    let output = jetstream.args(["--quick", "--json", "--only", "consuming"]).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Row> =
        String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    for row in &rows {
        assert!(row.work == "consuming" && !row.server.is_empty(), "{} {}", row.work, row.server);
        assert!((row.ours_events_per_s / row.rival_events_per_s / row.ratio - 1.0).abs() < 1e-9);
    }
    let rivals = rows.iter().map(|row| row.rival.as_str());
    assert_eq!(rivals.collect::<Vec<_>>(), ["a stream of messages", "batch after batch"]);
    Ok(())
}
