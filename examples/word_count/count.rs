//! The producer-consumer: counts the words of a piece.

use genstage::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::read::Part;

/// How often each word stands in a piece, and how long the piece is.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) counts: FxHashMap<String, u64>,
    pub(crate) bytes: u64,
}

#[stage(producer_consumer)]
#[derive(Default)]
pub(crate) struct Count {
    /// A word as it is counted, in a buffer that is used again.
    word: String,
}

impl Count {
    pub(crate) fn part(&mut self, part: Part<String>) -> Part<Counted> {
        match part {
            Part::Piece { text, piece } => Part::Piece { text, piece: self.count(&piece) },
            Part::End { text, pieces, error } => Part::End { text, pieces, error },
        }
    }

    fn count(&mut self, piece: &str) -> Counted {
        let mut counts = FxHashMap::default();
        for word in piece.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            self.lower_case(word);
            match counts.get_mut(&self.word) {
                Some(count) => *count += 1,
                None => drop(counts.insert(self.word.clone(), 1)),
            }
        }
        Counted { counts, bytes: piece.len() as u64 }
    }

    fn lower_case(&mut self, word: &str) {
        if word.is_ascii() {
            self.word.clear();
            self.word.push_str(word);
            self.word.make_ascii_lowercase();
        } else {
            self.word = word.to_lowercase();
        }
    }
}

impl ProducerConsumer for Count {
    type Input = Part<String>;
    type Output = Part<Counted>;

    async fn handle_events(&mut self, events: &mut Batch<Self::Input>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().map(|part| self.part(part)));
        Ok(())
    }
}
