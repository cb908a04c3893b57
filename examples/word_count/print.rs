//! What is printed in the end.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::Duration;

use crate::merge::Totals;

/// How many words are printed.
#[derive(Clone, Copy)]
pub(crate) struct Top(usize);

impl FromStr for Top {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self(usize::MAX)),
            number => number.parse().map(Self),
        }
    }
}

/// The words on standard output, the totals on standard error.
pub(crate) fn print(totals: &Totals, top: Top, time: Duration) -> io::Result<()> {
    totals.reports.iter().for_each(|report| eprintln!("{report}"));
    print_words(totals, top)?;
    let (files, skipped, seconds) = (totals.files, totals.skipped, time.as_secs_f64());
    let (words, distinct) = (totals.words(), totals.counts.len());
    eprintln!("{files} files, {skipped} skipped, {} bytes, {words} words, {distinct} distinct", totals.bytes);
    eprintln!("{seconds:.3} s, {:.0} events/s (an event is a word)", words as f64 / seconds);
    Ok(())
}

fn print_words(totals: &Totals, Top(top): Top) -> io::Result<()> {
    let mut ranking: Vec<_> = totals.counts.iter().collect();
    ranking.sort_unstable_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = ranking.iter().take(top).try_for_each(|(word, count)| writeln!(out, "{count}\t{word}"));
    match printed.and_then(|()| out.flush()) {
        // Whoever reads has read enough: `| head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
