//! Streams that are dropped while their producer comes to its end.

use futures_util::StreamExt;
use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Failure, Subscribe};
use genstage_tests::ledger::{Event, Ledger, assert_balanced};

use crate::fault::How;

/// Hangs when it is told to, and fails then if it is told how.
#[stage(producer)]
struct Source {
    makes: Ledger,
}

impl Producer for Source {
    type Event = Event;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all((0..demand as u64).map(|number| self.makes.event(number)));
        Ok(())
    }
}

impl Cast<Option<How>> for Source {
    async fn handle_cast(&mut self, how: Option<How>, _: &mut Context<Self>) -> Result {
        match how {
            Some(how) => {
                settle().await;
                how.strike()
            }
            None => std::future::pending().await,
        }
    }
}

/// What a stream gives back to a producer that does not get to it any more has not been sent after all: it is discarded.
#[tokio::test(start_paused = true)]
async fn what_comes_back_too_late() {
    for how in [None, Some(How::Error), Some(How::Panic)] {
        let makes = Ledger::default();
        let made = makes.clone();
        let app = pipeline! { source = Source { makes: made }, open; }.start().unwrap();
        let stream = app.source.into_stream(Subscribe::new().max_demand(10)).unwrap();
        let mut stream = stream.map(|event| event.unwrap().deliver());
        for _ in 0..3 {
            stream.next().await.unwrap();
        }
        settle().await;
        app.source.cast(how).await.unwrap();
        tokio::task::yield_now().await;
        drop(stream);
        let ended = if how.is_some() { app.join().await } else { app.abort().await };
        let (Ok(summary) | Err(Failure::Stage { summary, .. })) = ended else { panic!("{ended:?}") };
        assert_balanced(&summary, &[&makes]);
        let source = summary.stage("source").unwrap();
        assert_eq!((source.events_out, source.discarded, source.lost), (3, 7, 0), "{how:?}");
    }
}
