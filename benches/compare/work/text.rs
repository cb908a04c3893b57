//! A text made up, in which words are as frequent as in a natural one.

use std::ops::Range;

/// How many words the language has.
const WORDS: f64 = 50_000.0;

/// That many words, each followed by a space: the word of rank r in proportion to 1/r, as Zipf found, and the longer the rarer.
/// The same text each time.
pub(crate) fn zipf(words: u64) -> String {
    let mut text = String::new();
    let mut state = 0;
    for _ in 0..words {
        let rank = WORDS.powf(random(&mut state)) as u32;
        push_word(rank, &mut text);
        text.push(' ');
    }
    text
}

/// A number from 0 to below 1: SplitMix64.
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) as f64 / (u64::MAX as f64 + 1.0)
}

/// The rank in syllables, of which there are 16.
fn push_word(mut rank: u32, text: &mut String) {
    const SYLLABLES: [&str; 16] =
        ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "wa"];
    while rank > 0 {
        rank -= 1;
        text.push_str(SYLLABLES[(rank % 16) as usize]);
        rank /= 16;
    }
}

/// Where the pieces of a text are, each of about that size and none cut within a word.
pub(crate) fn pieces(text: &str, size: usize) -> Vec<Range<usize>> {
    let mut pieces = vec![];
    let mut start = 0;
    while start < text.len() {
        let at_least = text.len().min(start + size);
        let end = text[at_least..].find(' ').map_or(text.len(), |space| at_least + space + 1);
        pieces.push(start..end);
        start = end;
    }
    pieces
}
