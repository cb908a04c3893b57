//! The side that looks.

use std::io::{BufRead as _, BufReader, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::Address;
use crate::model::History;
use crate::view;
use crate::wire::{Frame, Graph, Snapshot};

/// How long to wait for a frame: so many are late that somebody else must be talking.
const PATIENCE: Duration = Duration::from_secs(10);

/// No frame is longer. A graph of a hundred thousand stages is shorter.
const LONGEST: u64 = 64 << 20;

/// A connection to a program that serves its pipeline. It blocks while it waits: for a frame, at most ten seconds.
///
/// ```
/// use genstage::prelude::*;
/// use genstage_top::{Client, Server};
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let app = pipeline! { from_iter(0..) => for_each(|n: u64| drop(n)); }.start()?;
/// let server = Server::bind(&"127.0.0.1:0".parse()?).await?;
/// let address = server.address()?;
/// let serving = tokio::spawn(server.serve(app.watch()));
///
/// let client = tokio::task::spawn_blocking(move || -> Result<_> {
///     let mut client = Client::connect(&address)?;
///     Ok(client.next_snapshot()?.map(|snapshot| (client.graph().clone(), snapshot)))
/// });
/// let Some((graph, snapshot)) = client.await?? else { panic!("it still runs") };
/// assert_eq!(graph.nodes.len(), snapshot.stages.len());
/// app.abort().await?;
/// serving.await?;
/// # Ok(())
/// # }
/// ```
pub struct Client {
    lines: BufReader<Box<dyn Read + Send>>,
    graph: Graph,
}

impl Client {
    /// Connects, and waits for the graph.
    ///
    /// # Errors
    ///
    /// If nobody serves there, or something else, or another [`VERSION`](crate::wire::VERSION), or if no graph comes within ten seconds.
    pub fn connect(address: &Address) -> Result<Self> {
        let stream = connect(address)
            .with_context(|| format!("nobody serves a pipeline at {address}: does the program run?"))?;
        let mut client = Self { lines: BufReader::new(stream), graph: Graph::default() };
        match client.next_frame().with_context(|| format!("what is at {address} serves no pipeline"))? {
            Some(Frame::Hello(hello)) => client.graph = hello.graph,
            Some(Frame::Snapshot(_)) => bail!("what is at {address} does not begin with a graph"),
            None => bail!("what is at {address} closed the connection at once"),
        }
        Ok(client)
    }

    /// The topology.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Waits for the next snapshot; none if the other side has closed the connection.
    ///
    /// # Errors
    ///
    /// If the connection breaks, something else comes, or nothing for ten seconds.
    pub fn next_snapshot(&mut self) -> Result<Option<Snapshot>> {
        match self.next_frame()? {
            Some(Frame::Snapshot(snapshot)) => Ok(Some(snapshot)),
            Some(Frame::Hello(_)) => bail!("a second graph came"),
            None => Ok(None),
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame>> {
        let mut line = String::new();
        let read = self.lines.by_ref().take(LONGEST).read_line(&mut line).context("the connection broke")?;
        match read {
            0 => Ok(None),
            _ if !line.ends_with('\n') => bail!("the connection broke within a frame"),
            _ => Frame::from_line(&line).map(Some),
        }
    }
}

fn connect(address: &Address) -> std::io::Result<Box<dyn Read + Send>> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect_timeout(address, PATIENCE)?;
            if stream.local_addr()? == stream.peer_addr()? {
                // Nobody listens there. Now and then the system takes that very port for this side, which then talks to itself.
                return Err(ErrorKind::ConnectionRefused.into());
            }
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(Box::new(stream))
        }
        #[cfg(unix)]
        Address::Unix(path) => {
            let stream = std::os::unix::net::UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(Box::new(stream))
        }
        #[cfg(not(unix))]
        Address::Unix(_) => Err(ErrorKind::Unsupported.into()),
    }
}

/// What is served there, as plain text, `width` columns wide: as much of it as there is until rates are known, which takes two frames. It
/// blocks until then. Nothing is printed: that is the caller's.
///
/// # Errors
///
/// As [`Client::connect`] and [`Client::next_snapshot`].
pub fn print_once(address: &Address, width: u16) -> Result<String> {
    let mut client = Client::connect(address)?;
    let mut history = History::new(client.graph().clone());
    while let Some(snapshot) = client.next_snapshot()? {
        history.add(snapshot);
        if history.picture().is_measured() {
            break;
        }
    }
    Ok(view::text(&history.picture(), width))
}
