//! Text in pieces that can be counted apart: none is cut within a word or a character.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much is read at a time: as JSON, which may take six times as much, it is a message that any broker takes.
const PIECE: usize = 128 * 1024;

/// The pieces of one text.
pub(crate) struct Pieces {
    reader: Box<dyn AsyncRead + Send + Unpin>,
    /// The beginning of a word whose end has not been read.
    word: String,
    /// The beginning of a character whose end has not been read.
    character: Vec<u8>,
    offset: usize,
}

impl Pieces {
    pub(crate) fn new(reader: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self { reader: Box::new(reader), word: String::new(), character: Vec::new(), offset: 0 }
    }

    /// The next piece, none at the end of the text. Fails if the text cannot be read or is not UTF-8.
    pub(crate) async fn next(&mut self) -> Result<Option<String>> {
        loop {
            let mut bytes = std::mem::take(&mut self.character);
            bytes.reserve(PIECE);
            if self.reader.read_buf(&mut bytes).await? == 0 {
                return self.last(&bytes);
            }
            let mut text = self.decode(bytes)?;
            let Some(cut) = text.rfind(|c: char| !c.is_alphanumeric()) else {
                self.word.push_str(&text);
                continue;
            };
            let word = text.split_off(cut);
            let piece = match self.word.is_empty() {
                true => text,
                false => std::mem::take(&mut self.word) + &text,
            };
            self.word = word;
            return Ok(Some(piece));
        }
    }

    fn last(&mut self, character: &[u8]) -> Result<Option<String>> {
        if !character.is_empty() {
            return Err(self.not_utf8());
        }
        let word = std::mem::take(&mut self.word);
        Ok((!word.is_empty()).then_some(word))
    }

    /// The bytes as text; keeps the beginning of a character at their end for the next time.
    fn decode(&mut self, mut bytes: Vec<u8>) -> Result<String> {
        if let Err(error) = std::str::from_utf8(&bytes) {
            self.character = bytes.split_off(error.valid_up_to());
            if error.error_len().is_some() {
                self.offset += bytes.len();
                return Err(self.not_utf8());
            }
        }
        self.offset += bytes.len();
        String::from_utf8(bytes).map_err(|_| self.not_utf8())
    }

    fn not_utf8(&self) -> Error {
        Error::new(ErrorKind::InvalidData, format!("not UTF-8 at byte {}", self.offset))
    }
}
