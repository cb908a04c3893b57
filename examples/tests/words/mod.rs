//! Text, and its words counted one after the other.

use std::collections::BTreeMap;

/// The plain way to do it, character by character.
pub(crate) fn sequential_count(texts: &[&str]) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for text in texts {
        let mut word = String::new();
        for c in text.chars().chain(['\n']) {
            if c.is_alphanumeric() {
                word.push(c);
            } else if !word.is_empty() {
                *counts.entry(word.to_lowercase()).or_default() += 1;
                word.clear();
            }
        }
    }
    let mut ranking: Vec<_> = counts.into_iter().collect();
    ranking.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    ranking.iter().map(|(word, count)| format!("{count}\t{word}\n")).collect()
}

/// Text of several scripts, with words of all lengths and now and then a very long one (of several pieces, and no more than a broker takes in a
/// message); the same for the same seed.
pub(crate) fn text(bytes: usize, seed: u64) -> String {
    const SEPARATORS: [&str; 6] = [" ", ", ", "\r\n", "。", "—", "\u{1F980}"];
    const LETTERS: [&str; 4] = ["etaoinshrdluETA", "äöüßéÈñ", "ΣσςΑΒΓλ", "漢字かな一二三"];
    let mut state = seed;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut text = String::new();
    while text.len() < bytes {
        let letters: Vec<char> = LETTERS[[0, 0, 0, 1, 2, 3][random(6)]].chars().collect();
        let length = if random(20_000) == 0 { 200_000 } else { 1 + random(4) * random(3) };
        text.extend((0..length).map(|_| letters[random(letters.len())]));
        text.push_str(SEPARATORS[random(SEPARATORS.len())]);
    }
    text
}
