//! What a watch tells the `metrics` facade. The names are in [`telemetry`](crate::telemetry).

use std::time::Duration;

use ::metrics::{counter, gauge};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{EdgeSnapshot, StageSnapshot, Watch};

impl Watch {
    /// Tells the [`metrics`] facade what the pipeline does, again and again, until all its stages have ended; needs the feature
    /// `metrics`. What is told, and under which names, is in [`telemetry`](crate::telemetry).
    ///
    /// `pipeline` is the label that tells one pipeline from another. A period of zero is taken for a millisecond.
    ///
    /// ```no_run
    /// # async fn example(running: genstage::Running) {
    /// tokio::spawn(running.watch().record_metrics("orders", std::time::Duration::from_secs(1)));
    /// # }
    /// ```
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends it; counters keep what they were told last.
    ///
    /// [`metrics`]: ::metrics
    pub async fn record_metrics(self, pipeline: impl Into<String>, period: Duration) {
        let pipeline = pipeline.into();
        let period = period.max(Duration::from_millis(1));
        let mut periods = interval_at(Instant::now(), period);
        periods.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut earlier = self.snapshot();
        loop {
            periods.tick().await;
            let now = self.snapshot();
            for (number, stage) in now.stages.iter().enumerate() {
                record_stage(&pipeline, stage, now.busy_share(&earlier, number));
            }
            now.edges.iter().for_each(|edge| record_edge(&pipeline, edge));
            if now.has_ended() {
                return;
            }
            earlier = now;
        }
    }
}

fn record_stage(pipeline: &str, stage: &StageSnapshot, busy_share: Option<f64>) {
    let labels = [("pipeline", pipeline.to_owned()), ("stage", stage.name.to_string())];
    counter!("genstage_callbacks_total", &labels).absolute(stage.callbacks);
    counter!("genstage_events_in_total", &labels).absolute(stage.events_in);
    counter!("genstage_events_out_total", &labels).absolute(stage.events_out);
    counter!("genstage_discarded_total", &labels).absolute(stage.discarded);
    counter!("genstage_lost_total", &labels).absolute(stage.lost);
    counter!("genstage_restarts_total", &labels).absolute(stage.restarts);
    gauge!("genstage_buffered", &labels).set(stage.buffered as f64);
    gauge!("genstage_mailbox", &labels).set(stage.mailbox as f64);
    if let Some(share) = busy_share {
        gauge!("genstage_busy_share", &labels).set(share);
    }
}

fn record_edge(pipeline: &str, edge: &EdgeSnapshot) {
    let labels =
        [("pipeline", pipeline.to_owned()), ("from", edge.from.to_string()), ("to", edge.to.to_string())];
    counter!("genstage_edge_sent_total", &labels).absolute(edge.sent);
    counter!("genstage_edge_handled_total", &labels).absolute(edge.handled);
    gauge!("genstage_edge_outstanding", &labels).set(edge.outstanding() as f64);
    gauge!("genstage_edge_in_flight", &labels).set(edge.in_flight() as f64);
}
