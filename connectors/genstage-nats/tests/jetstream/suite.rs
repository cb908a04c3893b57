//! What every engine has to pass.

use std::time::Duration;

use async_nats::jetstream;
use genstage::prelude::*;
use genstage::testing::{Engine, check_engine};
use genstage_nats::{Codec, Hub, Nats, Session, Shared};

use crate::server::Server;

struct JetStream {
    _server: Server,
    hub: Hub<u64, Shared>,
    context: jetstream::Context,
}

impl JetStream {
    async fn new() -> Self {
        let server = Server::start();
        let nats = Nats::connect(&server.url).await.unwrap();
        let exchange = nats.exchange("numbers").redeliver_after(Duration::from_millis(50));
        // What gets stuck comes after that, and too late for the test.
        let exchange = exchange.ack_wait(Duration::from_secs(120));
        let hub = exchange.open::<u64>(Codec::Json).await.unwrap();
        let context = jetstream::new(async_nats::connect(&server.url).await.unwrap());
        Self { _server: server, hub, context }
    }
}

impl Engine for JetStream {
    type Remote = Session<u64>;

    async fn put(&mut self, events: Vec<u64>) {
        let sink = self.hub.sink();
        pipeline! { sink = sink; from_iter(events) => sink; }.run().await.unwrap();
    }

    async fn remote(&mut self) -> Session<u64> {
        self.hub.session("group")
    }

    async fn left(&mut self) -> usize {
        let stream = self.context.get_stream("numbers").await.unwrap();
        stream.cached_info().state.messages as usize
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jetstream_passes() {
    check_engine(JetStream::new).await;
}
