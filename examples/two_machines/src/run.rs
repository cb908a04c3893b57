//! What the coordinator and the workers of a run have in common: two exchanges, and what goes over them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::{self, ErrorCode};
use genstage::{Error, Result};
use genstage_nats::{Codec, Exchange, Hub, Nats, Shared};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::count::Counted;
use crate::read::Part;

/// How many parts, and how many counts, wait at the broker at most: however large the text, only so much of it is there.
const WAITING: (u64, u64) = (32, 16);

/// When a part comes to another worker, if nothing was heard of the one who has it. It takes far less to count one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks whether a run is over.
const LOOK: Duration = Duration::from_secs(1);

/// What goes over an exchange: a part, or that there are no more of them. Its number tells it from every other one of its run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Numbered<P> {
    pub(crate) number: usize,
    pub(crate) part: Option<Part<P>>,
}

/// The exchanges of a run, which are of its own: any number of runs may share a broker.
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) parts: Hub<Numbered<String>, Shared>,
    pub(crate) counts: Hub<Numbered<Counted>, Shared>,
    streams: jetstream::Context,
}

impl Run {
    /// A new run.
    pub(crate) async fn begin(server: &str) -> Result<Self> {
        // Its hash is of nothing but a seed, which is another one each time.
        let name = format!("words-{:016x}", RandomState::new().build_hasher().finish());
        Self::open(server, name, streams(server).await?).await
    }

    /// One that has begun.
    pub(crate) async fn join(server: &str, name: &str) -> Result<Self> {
        let streams = streams(server).await?;
        match is_there(&streams, &parts(name)).await {
            true => Self::open(server, name.to_owned(), streams).await,
            false => Err(Error::msg(format!(
                "there is no run `{name}` at {server}: it is over, or has another name"
            ))),
        }
    }

    async fn open(server: &str, name: String, streams: jetstream::Context) -> Result<Self> {
        let nats = Nats::connect(server).await?;
        let parts = terms(nats.exchange(&parts(&name))).bounded(WAITING.0).open(Codec::Json).await?;
        let counts = terms(nats.exchange(&counts(&name))).bounded(WAITING.1).open(Codec::Json).await?;
        Ok(Self { name, parts, counts, streams })
    }

    /// Its exchanges are gone.
    pub(crate) async fn is_over(&self) -> bool {
        !is_there(&self.streams, &parts(&self.name)).await
    }

    /// Waits until it is over.
    pub(crate) async fn over(&self) {
        while !self.is_over().await {
            sleep(LOOK).await;
        }
    }

    /// Removes its exchanges.
    pub(crate) async fn end(&self) -> Result {
        for exchange in [parts(&self.name), counts(&self.name)] {
            // What may never be handled has a stream of its own.
            for stream in [format!("{exchange}-dead"), exchange] {
                self.streams.delete_stream(stream).await?;
            }
        }
        Ok(())
    }
}

fn parts(run: &str) -> String {
    format!("{run}-parts")
}

fn counts(run: &str) -> String {
    format!("{run}-counts")
}

/// There is nothing wrong with what was handed out many times: those who had it have gone.
fn terms(exchange: Exchange<Shared>) -> Exchange<Shared> {
    exchange.ack_wait(PATIENCE).max_deliver(u64::MAX)
}

async fn streams(server: &str) -> Result<jetstream::Context> {
    let client = async_nats::connect(server.split(',').collect::<Vec<_>>()).await;
    let client = client.map_err(|error| Error::new(error).context(format!("cannot connect to {server}")))?;
    Ok(jetstream::new(client))
}

/// A server that does not answer may have it.
async fn is_there(streams: &jetstream::Context, stream: &str) -> bool {
    match streams.get_stream(stream).await.map_err(|error| error.kind()) {
        Err(GetStreamErrorKind::JetStream(error)) => error.error_code() != ErrorCode::STREAM_NOT_FOUND,
        _ => true,
    }
}
