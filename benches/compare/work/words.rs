//! The words of a text, counted.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use anyhow::Result;
use genstage::Reason;
use genstage::prelude::*;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::text::{pieces, zipf};
use crate::measure::{Case, Run, run};

const COUNTERS: usize = 2;
/// How many pieces may be on their way to a counter, and how large they are, in bytes.
const WINDOW: usize = 4;
const PIECE: usize = 256 * 1024;

type Counts = FxHashMap<String, u64>;
/// Made when somebody first looks at it.
type Text = LazyLock<String, Box<dyn FnOnce() -> String + Send>>;

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    // 60 MB of text.
    let words = 11_000_000 / scale;
    let text: Arc<Text> = Arc::new(LazyLock::new(Box::new(move || zipf(words))));
    vec![Case {
        work: "word count",
        window: WINDOW,
        consumers: COUNTERS,
        events: words,
        ours: of(&text, ours),
        rivals: vec![("a sequential loop", of(&text, in_a_loop)), ("rayon", of(&text, rayon))],
    }]
}

fn of<F: Future<Output = Result<u64>> + Send + 'static>(text: &Arc<Text>, work: fn(Arc<Text>) -> F) -> Run {
    let text = text.clone();
    run(move || work(text.clone()))
}

fn count(text: &str, counts: &mut Counts) {
    for word in text.split_ascii_whitespace() {
        match counts.get_mut(word) {
            Some(count) => *count += 1,
            None => drop(counts.insert(word.to_owned(), 1)),
        }
    }
}

fn add(mut counts: Counts, more: Counts) -> Counts {
    if counts.is_empty() {
        return more;
    }
    for (word, count) in more {
        *counts.entry(word).or_default() += count;
    }
    counts
}

/// What the counts come to, in whatever order.
fn fingerprint(counts: &Counts) -> u64 {
    let words = counts.iter().map(|(word, count)| genstage::stable_hash(word).wrapping_mul(*count));
    words.fold(0, u64::wrapping_add)
}

/// Counts the words of pieces, and hands the counts out at the end.
#[stage(consumer, max_demand = WINDOW)]
struct Count {
    text: Arc<Text>,
    counts: Counts,
    done: UnboundedSender<Counts>,
}

impl Consumer for Count {
    type Event = Range<usize>;

    async fn handle_events(
        &mut self,
        pieces: &mut Batch<Range<usize>>,
        _: &mut Context<Self>,
    ) -> genstage::Result {
        for piece in pieces.drain() {
            count(&self.text[piece], &mut self.counts);
        }
        Ok(())
    }

    async fn terminate(&mut self, _: &Reason) {
        // Nobody waits for it if the pipeline has been dropped.
        let _ = self.done.send(std::mem::take(&mut self.counts));
    }
}

async fn ours(text: Arc<Text>) -> Result<u64> {
    let (done, mut all) = unbounded_channel();
    let app = pipeline! {
        count = Count { text: text.clone(), counts: Counts::default(), done: done.clone() }, replicas: COUNTERS;
        from_iter(pieces(&text, PIECE)) => count;
    };
    app.run().await?;
    drop(done);
    let mut counts = Counts::default();
    while let Some(more) = all.recv().await {
        counts = add(counts, more);
    }
    Ok(fingerprint(&counts))
}

async fn in_a_loop(text: Arc<Text>) -> Result<u64> {
    let mut counts = Counts::default();
    count(&text, &mut counts);
    Ok(fingerprint(&counts))
}

/// On as many threads as the runtime has.
async fn rayon(text: Arc<Text>) -> Result<u64> {
    let threads = ThreadPoolBuilder::new().num_threads(Handle::current().metrics().num_workers()).build()?;
    let counts = threads.install(|| {
        let pieces = pieces(&text, PIECE).into_par_iter();
        let counted = pieces.fold(Counts::default, |mut counts, piece| {
            count(&text[piece], &mut counts);
            counts
        });
        counted.reduce(Counts::default, add)
    });
    Ok(fingerprint(&counts))
}
