//! Warns of what has lasted too long: the option `warn_after` of a pipeline.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Observed, Watched, WatchedEdge, WatchedPipeline};
use crate::telemetry;

/// What something has been at, and since when.
#[derive(Clone, Copy)]
struct Since {
    what: u64,
    since: Instant,
    warned: bool,
}

impl Since {
    fn new() -> Self {
        Self { what: u64::MAX, since: Instant::now(), warned: false }
    }

    /// Takes note of what it is at now; for how long, once that is longer than the limit.
    fn look(&mut self, what: u64, lasts: bool, limit: Duration) -> Option<Duration> {
        if !lasts || self.what != what {
            *self = Self { what, ..Self::new() };
            return None;
        }
        let time = self.since.elapsed();
        let is_too_long = time >= limit && !self.warned;
        self.warned |= is_too_long;
        is_too_long.then_some(time)
    }
}

impl WatchedPipeline {
    /// Looks again and again, until all stages have ended, and warns once of each callback that has been running, and of each edge
    /// whose producer has been waiting for demand, for longer than that.
    pub(crate) async fn watch_out(self, limit: Duration) {
        let Self { stages, edges, .. } = self;
        // A millisecond is what timers are good for.
        let period = (limit / 4).max(Duration::from_millis(1));
        let mut looks = interval_at(Instant::now() + period, period);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut callbacks, mut waits) = (vec![Since::new(); stages.len()], vec![Since::new(); edges.len()]);
        while stages.iter().any(|watched| !watched.stage.has_ended()) {
            looks.tick().await;
            for (Watched { stage, .. }, since) in stages.iter().zip(&mut callbacks) {
                let gauges = stage.gauges();
                let is_running = gauges.is_in_callback() && !stage.has_ended();
                if let Some(time) = since.look(gauges.callbacks(), is_running, limit) {
                    telemetry::slow_callback(stage.name(), time);
                }
            }
            for (edge, since) in edges.iter().zip(&mut waits) {
                let (asked, sent) = (edge.gauges.asked.get(), edge.gauges.sent.get());
                if let Some(time) =
                    since.look(sent, sent > 0 && asked <= sent && is_open(edge, &stages), limit)
                {
                    telemetry::waits_for_demand(&edge.from, &edge.to, time);
                }
            }
        }
    }
}

/// Whether both ends of an edge are there.
fn is_open(edge: &WatchedEdge, stages: &[Watched]) -> bool {
    let is_end = |stage: &dyn Observed| [&edge.from, &edge.to].contains(&stage.name());
    !stages.iter().any(|watched| is_end(&*watched.stage) && watched.stage.has_ended())
}
