//! What the producer emits: pieces of the input, read as far as there is demand.

use std::io;

use futures_util::{Stream, TryFutureExt, TryStreamExt, stream};
use genstage::{Error, Result};
use serde_json::Value;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader, copy, sink, stdin};

/// How much is read at a time.
const AT_A_TIME: usize = 256 * 1024;

/// How long a line may be: it is in memory as a whole.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A place in the input: how much is before it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Position {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
}

/// Whole lines of the input, one behind the other.
pub(crate) struct Piece {
    pub(crate) start: Position,
    pub(crate) end: Position,
    pub(crate) text: Vec<u8>,
}

/// The pieces of the input behind a place.
pub(crate) fn pieces(input: String, start: Position) -> impl Stream<Item = Result<Piece>> {
    let pieces = Reader::open(input.clone(), start).map_ok(|reader| {
        stream::try_unfold(reader, async |mut reader| Ok(reader.next().await?.map(|piece| (piece, reader))))
    });
    let cannot_read = move |error| Error::new(error).context(format!("cannot read {input}"));
    pieces.try_flatten_stream().map_err(cannot_read)
}

struct Reader {
    input: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    /// Where it is; of lines, those that have ended.
    at: Position,
}

impl Reader {
    async fn open(input: String, start: Position) -> io::Result<Self> {
        let input: Box<dyn AsyncRead + Send + Unpin> = match input.as_str() {
            "-" => Box::new(stdin()),
            path => Box::new(File::open(path).await?),
        };
        let mut input = BufReader::with_capacity(AT_A_TIME, input);
        // By reading, because standard input offers nothing else.
        let skipped = copy(&mut (&mut input).take(start.bytes.saturating_sub(1)), &mut sink()).await?;
        let mut last = Vec::new();
        (&mut input).take(start.bytes - skipped).read_to_end(&mut last).await?;
        if skipped + (last.len() as u64) < start.bytes {
            return Err(io::Error::other(
                "it is shorter than what was loaded of it before: is it another one?",
            ));
        }
        // A line that was loaded without its end has been counted, and ends only now.
        let within_line = last.last().is_some_and(|byte| *byte != b'\n');
        let lines = start.lines.saturating_sub(within_line.into());
        Ok(Self { input, at: Position { lines, ..start } })
    }

    /// The next piece, none at the end: the lines that are there after one read. More are not waited for: they may be long in
    /// coming, and these can be loaded meanwhile.
    async fn next(&mut self) -> io::Result<Option<Piece>> {
        let (start, mut text) = (self.at, Vec::new());
        while self.read_line(&mut text).await? && self.input.buffer().contains(&b'\n') {}
        let mut end = self.at;
        if !text.is_empty() && !text.ends_with(b"\n") {
            // The piece is this line alone: those before it, which have ended, were another piece.
            end.lines += 1;
            if serde_json::from_slice::<Value>(&text).is_err() {
                eprintln!(
                    "line {} has no end, and is no JSON so far: it is left for the next run",
                    end.lines
                );
                return Ok(None);
            }
        }
        Ok((!text.is_empty()).then_some(Piece { start, end, text }))
    }

    /// Adds the next line to a text; whether there is one.
    async fn read_line(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        let read = (&mut self.input).take(LONGEST).read_until(b'\n', text).await? as u64;
        if read == LONGEST {
            let line = self.at.lines + 1;
            return Err(io::Error::other(format!("line {line} is too long: is it JSON lines?")));
        }
        self.at.bytes += read;
        self.at.lines += u64::from(text.ends_with(b"\n"));
        Ok(read > 0)
    }
}
