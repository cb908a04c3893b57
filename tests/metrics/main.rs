//! What a pipeline tells the `metrics` facade.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

use std::collections::BTreeMap;
use std::time::Duration;

use genstage::prelude::*;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// What was recorded under a name, by the labels that tell one from another.
fn recorded(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let all = snapshotter.snapshot().into_vec().into_iter();
    let all = all.map(|(key, _, _, value)| {
        let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
        let value = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Gauge(value) => value.into_inner() as u64,
            DebugValue::Histogram(_) => panic!("there are no histograms"),
        };
        (format!("{} {}", key.key().name(), labels.join(" ")), value)
    });
    all.collect()
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_is_recorded_to_its_end() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let running = pipeline! {
        source = from_iter(0..100u64);
        even = filter(|n: &u64| n.is_multiple_of(2));
        sink = for_each(|_: u64| ());
        source => even => sink;
    }
    .start()
    .unwrap();
    let recording = tokio::spawn(running.watch().record_metrics("numbers", Duration::from_secs(1)));
    running.join().await.unwrap();
    recording.await.unwrap();

    let recorded = recorded(&snapshotter);
    for (name, expected) in [
        ("genstage_events_out_total numbers source", 100),
        ("genstage_events_in_total numbers even", 100),
        ("genstage_events_out_total numbers even", 50),
        ("genstage_events_in_total numbers sink", 50),
        ("genstage_discarded_total numbers sink", 0),
        ("genstage_lost_total numbers sink", 0),
        ("genstage_restarts_total numbers sink", 0),
        ("genstage_buffered numbers source", 0),
        ("genstage_mailbox numbers sink", 0),
        ("genstage_edge_sent_total numbers source even", 100),
        ("genstage_edge_handled_total numbers even sink", 50),
        ("genstage_edge_in_flight numbers even sink", 0),
    ] {
        assert_eq!(recorded.get(name), Some(&expected), "{name} in {recorded:?}");
    }
    assert!(recorded.contains_key("genstage_edge_outstanding numbers source even"));
    assert!(recorded["genstage_callbacks_total numbers sink"] > 0);
}
