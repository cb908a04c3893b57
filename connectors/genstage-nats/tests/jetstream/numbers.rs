//! What the tests have in common: an exchange of numbers, what goes in and what comes out.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::Info;
use genstage::Running;
use genstage::prelude::*;
use genstage::remote::Delivered;
use genstage_nats::{Codec, Exchange, Hub, Nats, Routing, Shared};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::server::Server;

pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Between two looks at what nobody tells.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

pub(crate) async fn shared(server: &Server) -> Exchange<Shared> {
    let nats = Nats::connect(&server.url).await.unwrap();
    nats.exchange("numbers").redeliver_after(Duration::from_millis(20))
}

pub(crate) async fn open<R: Routing<u64>>(exchange: Exchange<R>) -> Hub<u64, R> {
    exchange.open(Codec::Json).await.unwrap()
}

pub(crate) async fn put<R: Routing<u64>>(
    hub: &Hub<u64, R>,
    events: impl IntoIterator<Item = u64, IntoIter: Send + 'static>,
) {
    let sink = hub.sink();
    pipeline! { sink = sink; from_iter(events) => sink; }.run().await.unwrap();
}

/// A source that runs, and its events.
pub(crate) struct Taking {
    pub(crate) running: Running<()>,
    pub(crate) events: UnboundedReceiver<Delivered<u64>>,
}

pub(crate) fn take<R: Routing<u64>>(hub: &Hub<u64, R>, group: &str) -> Taking {
    let (to, events) = unbounded_channel();
    let source = hub.source(group);
    let (pipeline, _) = pipeline! {
        source = source;
        hands = for_each(move |event: Delivered<u64>| drop(to.send(event)));
        source => hands [max_demand: 20];
    }
    .into_parts();
    Taking { running: pipeline.start().unwrap(), events }
}

impl Taking {
    pub(crate) async fn next(&mut self) -> Delivered<u64> {
        timeout(LONG, self.events.recv()).await.expect("nothing comes").expect("it has ended")
    }

    /// The next events, which are done with.
    pub(crate) async fn done(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = vec![];
        while numbers.len() < count {
            let event = self.next().await;
            numbers.push(*event);
            event.done();
        }
        numbers
    }

    pub(crate) async fn ends(self) {
        drop(self.events);
        timeout(LONG, self.running.drain()).await.expect("it does not end").unwrap();
    }
}

pub(crate) async fn context(server: &Server) -> jetstream::Context {
    jetstream::new(async_nats::connect(&server.url).await.unwrap())
}

pub(crate) async fn messages(server: &Server, stream: &str) -> u64 {
    let context = context(server).await;
    context.get_stream(stream).await.unwrap().cached_info().state.messages
}

/// How many messages a group has not had, or has and has not settled. (A server that has crashed may keep messages that were settled.)
pub(crate) async fn unsettled(server: &Server, group: &str) -> u64 {
    let info = consumer(server, group).await;
    info.num_pending + info.num_ack_pending as u64
}

pub(crate) async fn consumer(server: &Server, group: &str) -> Info {
    let context = context(server).await;
    context.get_stream("numbers").await.unwrap().consumer_info(group).await.unwrap()
}

pub(crate) async fn is_empty(server: &Server, stream: &str) {
    let emptied = async {
        while messages(server, stream).await > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    timeout(LONG, emptied).await.expect("messages are left");
}

/// Waits until there are so many groups.
pub(crate) async fn are_there(server: &Server, groups: usize) {
    let are_there = async {
        while subscribers(server).await < groups {
            tokio::time::sleep(PAUSE).await;
        }
    };
    timeout(LONG, are_there).await.expect("a group is missing");
}

pub(crate) async fn subscribers(server: &Server) -> usize {
    let context = context(server).await;
    context.get_stream("numbers").await.unwrap().cached_info().state.consumer_count
}
