//! Consumer supervisors that end while their children do, and while somebody asks for them.

use genstage::prelude::*;
use genstage::{Child, Reason, Subscribe};
use tokio::task::yield_now;

use crate::book::{Book, Event, Life};
use crate::check;
use crate::stages::Source;

/// Has a child handle each event.
#[stage(consumer_supervisor, max_demand = 2, min_demand = 1, shutdown = unbounded)]
struct Workers(Life);

impl ConsumerSupervisor for Workers {
    type Event = Event;

    fn start_child(
        &mut self,
        event: Event,
        child: &Child,
    ) -> Result<impl Future<Output = Result> + Send + 'static> {
        let stopping = child.stopping();
        Ok(async move {
            yield_now().await;
            if !stopping.is_requested() {
                yield_now().await;
            }
            event.handle();
            Ok(())
        })
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.0.terminate(reason);
    }
}

#[test]
fn a_consumer_supervisor_is_asked_while_it_ends() {
    check(async |book: Book| {
        let source = Source::endless(&book).spawn();
        let workers = Workers(book.life()).spawn();
        workers.subscribe(&source, Subscribe::new()).await.expect("it lives");
        let (starting, event) = (workers.clone(), book.event());
        let starts = tokio::spawn(async move { starting.start_child(event).await.is_ok() });
        let looking = workers.clone();
        let looks = tokio::spawn(async move {
            for child in looking.which_children().await {
                // It may have ended by itself.
                let _ = looking.terminate_child(child.id).await;
            }
        });
        let stopping = source.clone();
        let stops = tokio::spawn(async move { stopping.stop(Reason::Normal).await });
        workers.stop(Reason::Normal).await;
        let _ = (starts.await.expect("no panic"), stops.await.expect("no panic"));
        looks.await.expect("no panic");
        assert!(workers.which_children().await.is_empty());
    });
}

#[test]
fn a_consumer_supervisor_in_a_pipeline() {
    check(async |book: Book| {
        let (ours, theirs) = (book.clone(), book.clone());
        let pipeline = pipeline! {
            source = Source::of(&ours, 5);
            workers = Workers(theirs.life());
            source => workers;
        };
        let summary = pipeline.run().await.expect("nothing fails");
        assert_eq!(book.handled_without_gaps(), 5);
        book.balances(&summary);
    });
}
