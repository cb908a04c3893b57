//! A server that sums up what its clients send: lines of a key and a number.
//!
//! ```text
//! cargo run --release --example line_server -- [--clients N] [--graph] [ADDRESS]
//! ```
//!
//! For each line it prints what there is of that key by then. Whoever reads this sets the pace: while nobody does, nothing is
//! asked for, no socket is read, and the clients cannot write any more. However fast they are, memory stays as it is; it grows
//! with the keys only.
//!
//! Clients come and go, the pipeline stands: one producer reads them all, in turns. If each client were a producer of its own,
//! subscribed when it comes, each would bring a window of its own, and what is on its way would grow with their number. As it
//! is, one window holds for all of them.

#[path = "line_server/clients.rs"]
mod clients;

use std::collections::HashMap;
use std::io::{self, ErrorKind, Write as _};
use std::num::NonZeroUsize;
use std::sync::Arc;

use clap::Parser;
use clients::Line;
use futures_util::{FutureExt as _, Stream, stream};
use genstage::prelude::*;
use genstage::{Error, Pipeline, Reason};
use tokio::net::TcpListener;

/// Sums up what its clients send over TCP: lines of a key, a space, and a whole number, of up to 1024 bytes.
///
/// For each of them it prints the key, how many lines there were of it, and their sum, with tabs between them. Lines of another form
/// are left out, and counted. Clients are read only as far as standard output is. With Ctrl-C no more is read, and the server ends
/// when all that was read has been printed.
#[derive(Parser)]
struct Arguments {
    /// How many clients are read at a time; others wait until one has gone
    #[arg(long, default_value = "1000", value_name = "N")]
    clients: NonZeroUsize,
    /// Print the pipeline as a Mermaid flowchart, and do nothing else
    #[arg(long)]
    graph: bool,
    /// Where to listen; port 0 is any that is free
    #[arg(default_value = "127.0.0.1:7000", value_name = "ADDRESS")]
    address: String,
}

/// How many share the keys.
const TOTALS: usize = 4;

struct Reading {
    key: Arc<str>,
    value: i64,
}

impl Reading {
    fn parse(line: &[u8]) -> Option<Self> {
        let (key, value) = str::from_utf8(line).ok()?.trim_end().split_once(' ')?;
        Some(Self { key: key.into(), value: value.parse().ok()? })
    }

    fn key(&self) -> Arc<str> {
        self.key.clone()
    }
}

/// Makes readings of lines, and counts those that are none. All readings of a key go to the same one of the [`Totals`]; if there are
/// more than it can take, no more than a hundred wait for it before all are held up.
#[stage(producer_consumer, dispatcher = partition(TOTALS, by = Reading::key, queue_size = 100))]
#[derive(Default)]
struct Parse {
    no_readings: u64,
    too_long: u64,
    cut_off: u64,
}

impl ProducerConsumer for Parse {
    type Input = Line;
    type Output = Reading;

    async fn handle_events(&mut self, lines: &mut Batch<Line>, cx: &mut Context<Self>) -> Result {
        for line in lines.drain() {
            match line {
                Line::Whole(line) => match Reading::parse(&line) {
                    Some(reading) => cx.emit(reading),
                    None => self.no_readings += 1,
                },
                Line::TooLong => self.too_long += 1,
                Line::CutOff => self.cut_off += 1,
            }
        }
        Ok(())
    }

    async fn terminate(&mut self, _: &Reason) {
        let Self { no_readings, too_long, cut_off } = self;
        eprintln!(
            "left out: {no_readings} without a key and a number, {too_long} too long, {cut_off} cut off"
        );
    }
}

/// Sums up the readings of some of the keys.
#[stage(producer_consumer)]
#[derive(Default)]
struct Totals {
    by_key: HashMap<Arc<str>, (u64, i128)>,
}

impl ProducerConsumer for Totals {
    type Input = Reading;
    type Output = String;

    async fn handle_events(&mut self, readings: &mut Batch<Reading>, cx: &mut Context<Self>) -> Result {
        for Reading { key, value } in readings.drain() {
            let (lines, sum) = self.by_key.entry(key.clone()).or_default();
            *lines += 1;
            *sum += i128::from(value);
            cx.emit(format!("{key}\t{lines}\t{sum}\n"));
        }
        Ok(())
    }
}

/// Prints. That waits for whoever reads it: `blocking`, so that the runtime's own threads do not.
#[stage(consumer, blocking)]
struct Print;

impl Consumer for Print {
    type Event = String;

    async fn handle_events(&mut self, lines: &mut Batch<String>, cx: &mut Context<Self>) -> Result {
        match io::stdout().write_all(lines.concat().as_bytes()) {
            // Whoever reads has read enough: `| head`.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => cx.finish(),
            result => result?,
        }
        Ok(())
    }
}

fn server(lines: impl Stream<Item = Line> + Send + 'static) -> Pipeline {
    let app = pipeline! {
        clients = from_stream(lines);
        parse   = Parse::default();
        totals  = Totals::default(), replicas: TOTALS;
        print   = Print;

        // Parsing a line is less work than passing it on, so it shares the task of those who read.
        clients |> parse => totals [max_demand: 100] => print [max_demand: 100];
    };
    app.into_parts().0
}

#[tokio::main]
async fn main() -> Result {
    let Arguments { clients, graph, address } = Arguments::parse();
    if graph {
        print!("{}", server(stream::empty()).graph().to_mermaid());
        return Ok(());
    }
    let listener = TcpListener::bind(&address).await;
    let listener =
        listener.map_err(|error| Error::new(error).context(format!("cannot listen at {address}")))?;
    eprintln!("listening at {}", listener.local_addr()?);
    // Draining the pipeline would leave what its source has read and not given out: the source ends by itself instead.
    let stop = tokio::signal::ctrl_c().map(drop).boxed().shared();
    eprintln!("{}", server(clients::lines(listener, clients, stop)).run().await?);
    Ok(())
}
