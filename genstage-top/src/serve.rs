//! A pipeline that others can look at.

use std::time::Duration;

use anyhow::Result;
use genstage::Watch;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::Address;
use crate::listener::{Connection, Listener};
use crate::wire::Frame;

/// How long there is between two frames, if nothing else is said.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);

/// How long clients may take for the last frame.
const LAST: Duration = Duration::from_secs(1);

/// Serves a pipeline to any number of `genstage-top`s, four frames a second, until all its stages have ended and each client has been
/// sent the last state; or until it is dropped.
///
/// A client that does not keep up loses frames. The pipeline learns nothing of any of them.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let app = pipeline! {
///     from_iter(0..1000) => for_each(|_: u64| ());
/// }
/// .start()?;
/// let address = "127.0.0.1:0".parse()?; // a port that is free; a program that others find has one of its own
/// let serving = tokio::spawn(genstage_top::serve(app.watch(), address));
/// app.join().await?;
/// serving.await??;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the address cannot be bound: see [`Server::bind`].
///
/// # Cancellation
///
/// Dropping the future closes all connections, and frees the address.
pub async fn serve(watch: Watch, address: Address) -> Result<()> {
    Server::bind(&address).await?.serve(watch).await;
    Ok(())
}

/// An address that is bound, at which a pipeline is going to be served. Clients that connect are kept waiting.
pub struct Server {
    listener: Listener,
    interval: Duration,
}

impl Server {
    /// Binds the address. A Unix socket that nobody listens at is replaced, and removed when this is dropped.
    ///
    /// # Errors
    ///
    /// If somebody serves there, if the file is no socket, or if the system refuses.
    pub async fn bind(address: &Address) -> Result<Self> {
        Ok(Self { listener: Listener::bind(address).await?, interval: INTERVAL })
    }

    /// How long there is between two frames, 250 milliseconds if nothing is said: from a millisecond to five seconds, because clients do not
    /// wait for ever.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(Duration::from_millis(1), Duration::from_secs(5));
        self
    }

    /// Where it is: of port 0, the one that was found.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn address(&self) -> Result<Address> {
        self.listener.address()
    }

    /// Serves a pipeline, as [`serve`] does, until all its stages have ended and clients have been sent the last state, for which they have a
    /// second.
    ///
    /// # Cancellation
    ///
    /// As [`serve`].
    pub async fn serve(self, watch: Watch) {
        // Dropped with this future, and all its tasks with it.
        let mut clients = JoinSet::new();
        let mut looks = interval(self.interval);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !watch.snapshot().has_ended() {
            tokio::select! {
                _ = looks.tick() => while clients.try_join_next().is_some() {},
                connection = self.listener.accept() => match connection {
                    Ok(connection) => drop(clients.spawn(show(watch.clone(), connection, self.interval))),
                    // Too many files are open, or the client is gone again.
                    Err(_) => sleep(self.interval).await,
                },
            }
        }
        // One that does not read does not hold up the end.
        let _ = timeout(LAST, async { while clients.join_next().await.is_some() {} }).await;
    }
}

/// Writes frames to a client until it goes or the pipeline has ended. That a client goes is no error.
async fn show(watch: Watch, mut connection: Connection, interval: Duration) {
    let _ = show_all(&watch, &mut connection, interval).await;
}

async fn show_all(watch: &Watch, connection: &mut Connection, every: Duration) -> Result<()> {
    write(connection, &Frame::hello(watch)).await?;
    let mut frames = interval(every);
    // While a client does not read, no frames are made for it.
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !watch.snapshot().has_ended() {
        frames.tick().await;
        write(connection, &Frame::snapshot(watch)).await?;
    }
    write(connection, &Frame::snapshot(watch)).await
}

async fn write(connection: &mut Connection, frame: &Frame) -> Result<()> {
    connection.write_all(frame.to_line()?.as_bytes()).await?;
    Ok(connection.flush().await?)
}
