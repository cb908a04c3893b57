use std::time::Duration;

use genstage::prelude::*;
use genstage::Child;

const LIMIT: usize = 3;

#[stage(consumer_supervisor, max_demand = 10, restart = transient, max_restarts = LIMIT, within = Duration::from_secs(60), shutdown = abort)]
struct All<T> {
    grace: Duration,
    events: Vec<T>,
}

impl<T: Clone + Send + 'static> ConsumerSupervisor for All<T> {
    type Event = T;

    fn start_child(&mut self, event: T, child: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
        self.events.push(event);
        let (stopping, grace) = (child.stopping(), self.grace);
        Ok(async move {
            stopping.requested().await;
            tokio::time::sleep(grace).await;
            Ok(())
        })
    }
}

#[stage(consumer_supervisor, restart = temporary, shutdown = self.0)]
struct Some(Duration);

impl ConsumerSupervisor for Some {
    type Event = u64;

    fn start_child(&mut self, _: u64, _: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
        Ok(async { Ok(()) })
    }
}

#[tokio::main]
async fn main() -> Result {
    let app = pipeline! {
        some = Some(Duration::from_secs(1)), restart: on_failure;
        all = All { grace: Duration::ZERO, events: vec![] };
        from_iter(0..3u64) => some;
        from_iter(0..3u64) => all;
    }
    .start()?;
    app.all.count_children().await;
    app.abort().await?;
    Ok(())
}
