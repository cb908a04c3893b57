//! What the producer emits: text, read as far as there is demand.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::fs::File;
use walkdir::{DirEntry, WalkDir};

use crate::pieces::Pieces;

/// Which text something belongs to, and what to call it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Text {
    pub(crate) number: usize,
    pub(crate) name: Arc<str>,
}

/// A text on its way: its pieces, and behind them how many those were and why there are no more of them, if it is not that
/// the text has come to its end.
#[derive(Serialize, Deserialize)]
pub(crate) enum Part<P> {
    Piece { text: Text, piece: P },
    End { text: Text, pieces: usize, error: Option<String> },
}

/// Something to read, or why it cannot be found.
pub(crate) type Source = Result<PathBuf, walkdir::Error>;

/// Every file of the given paths, in order; a folder stands for all files below it.
pub(crate) fn all_files(paths: Vec<PathBuf>) -> Box<dyn Iterator<Item = Source> + Send> {
    Box::new(paths.into_iter().flat_map(|path| -> Box<dyn Iterator<Item = Source> + Send> {
        match path.is_dir() {
            true => files_below(&path, |_| true),
            false => Box::new(std::iter::once(Ok(path))),
        }
    }))
}

/// The text files of a Rust project: no build products, nothing hidden.
pub(crate) fn project_files(folder: &Path) -> Box<dyn Iterator<Item = Source> + Send> {
    let wanted = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        let text = ["md", "rs", "toml"].iter().any(|ending| name.ends_with(&format!(".{ending}")));
        entry.depth() == 0
            || !name.starts_with('.') && name != "target" && (entry.file_type().is_dir() || text)
    };
    files_below(folder, wanted)
}

fn files_below(
    folder: &Path,
    wanted: impl FnMut(&DirEntry) -> bool + Send + 'static,
) -> Box<dyn Iterator<Item = Source> + Send> {
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(wanted);
    Box::new(entries.filter_map(|entry| match entry {
        Ok(entry) => entry.file_type().is_file().then(|| Ok(entry.into_path())),
        Err(error) => Some(Err(error)),
    }))
}

/// The texts, one after the other, part by part. Nothing is read before it is asked for.
pub(crate) fn parts(sources: Box<dyn Iterator<Item = Source> + Send>) -> impl Stream<Item = Part<String>> {
    let reader = Reader { sources, texts: 0, open: None };
    stream::unfold(reader, |mut reader| async {
        let part = if reader.open.is_some() { reader.read().await } else { reader.open().await };
        part.map(|part| (part, reader))
    })
}

struct Reader {
    sources: Box<dyn Iterator<Item = Source> + Send>,
    texts: usize,
    open: Option<Open>,
}

struct Open {
    text: Text,
    pieces: Pieces,
    emitted: usize,
}

impl Reader {
    /// Opens the next source; one that cannot be opened has come to its end already. None if there are no more.
    async fn open(&mut self) -> Option<Part<String>> {
        let source = self.sources.next()?;
        self.texts += 1;
        let name = match &source {
            Ok(path) if path.as_os_str() == "-" => "standard input".into(),
            Ok(path) => path.to_string_lossy().into(),
            Err(error) => error.path().map_or("a folder".into(), |path| path.to_string_lossy().into()),
        };
        let text = Text { number: self.texts, name };
        let pieces = match source {
            Ok(path) if path.as_os_str() == "-" => Ok(Pieces::new(tokio::io::stdin())),
            Ok(path) => File::open(path).await.map(Pieces::new),
            Err(error) => Err(error.into()),
        };
        match pieces {
            Ok(pieces) => {
                self.open = Some(Open { text, pieces, emitted: 0 });
                self.read().await
            }
            Err(error) => Some(Part::End { text, pieces: 0, error: Some(error.to_string()) }),
        }
    }

    /// The next part of the source that is open.
    async fn read(&mut self) -> Option<Part<String>> {
        let open = self.open.as_mut()?;
        let text = open.text.clone();
        let error = match open.pieces.next().await {
            Ok(Some(piece)) => {
                open.emitted += 1;
                return Some(Part::Piece { text, piece });
            }
            Ok(None) => None,
            Err(error) => Some(error.to_string()),
        };
        let pieces = open.emitted;
        self.open = None;
        Some(Part::End { text, pieces, error })
    }
}
