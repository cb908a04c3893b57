//! What the coordinator and the workers of a run have in common: two exchanges, and what goes over them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use genstage::{Error, Result};
use genstage_nats::{Codec, Exchange, Hub, Nats, Shared};
use serde::{Deserialize, Serialize};

use crate::count::Counted;
use crate::read::Part;

/// How many parts, and how many counts, wait at the broker at most: however large the text, only so much of it is there.
const WAITING: (u64, u64) = (32, 16);

/// When a part comes to another worker, if nothing was heard of the one who has it. It takes far less to count one.
const PATIENCE: Duration = Duration::from_secs(10);

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
    nats: Nats,
}

impl Run {
    /// A new run.
    pub(crate) async fn begin(server: &str) -> Result<Self> {
        // Its hash is of nothing but a seed, which is another one each time.
        let name = format!("words-{:016x}", RandomState::new().build_hasher().finish());
        Self::open(Nats::connect(server).await?, name).await
    }

    /// One that has begun.
    pub(crate) async fn join(server: &str, name: &str) -> Result<Self> {
        let nats = Nats::connect(server).await?;
        match nats.has_exchange(&parts(name)).await? {
            true => Self::open(nats, name.to_owned()).await,
            false => Err(Error::msg(format!(
                "there is no run `{name}` at {server}: it is over, or has another name"
            ))),
        }
    }

    async fn open(nats: Nats, name: String) -> Result<Self> {
        let parts = terms(nats.exchange(&parts(&name))).bounded(WAITING.0).open(Codec::Json).await?;
        let counts = terms(nats.exchange(&counts(&name))).bounded(WAITING.1).open(Codec::Json).await?;
        Ok(Self { name, parts, counts, nats })
    }

    /// Its exchanges are gone.
    pub(crate) async fn is_over(&self) -> bool {
        // A server that does not answer may have them.
        matches!(self.nats.has_exchange(&parts(&self.name)).await, Ok(false))
    }

    /// Removes its exchanges.
    pub(crate) async fn end(&self) -> Result {
        self.parts.remove().await?;
        self.counts.remove().await
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
