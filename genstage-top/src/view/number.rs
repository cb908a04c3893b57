//! Numbers and shares in few columns.

/// A number in at most four columns: `7`, `999`, `1.2k`, `12k`.
pub(super) fn count(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => large(number as f64),
    }
}

/// A rate in at most four columns: `0.4`, `12`, `1.2k`; a dash before there is one.
pub(super) fn rate(rate: Option<f64>) -> String {
    match rate {
        None => "-".into(),
        Some(0.0) => "0".into(),
        Some(rate) if rate < 9.95 => format!("{rate:.1}"),
        Some(rate) if rate < 999.5 => format!("{rate:.0}"),
        Some(rate) => large(rate),
    }
}

fn large(mut number: f64) -> String {
    for unit in ["", "k", "M", "G", "T", "P"] {
        match number {
            _ if number >= 999.5 => number /= 1000.0,
            _ if number < 9.95 => return format!("{number:.1}{unit}"),
            _ => return format!("{number:.0}{unit}"),
        }
    }
    "lots".into()
}

/// A share in at most four columns; a dash before there is one.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".into(), |share| format!("{:.0}%", share * 100.0))
}

/// A share as a bar of that length.
pub(super) fn bar(share: f64, length: usize) -> String {
    let full = ((share * length as f64).round() as usize).min(length);
    "█".repeat(full) + &"░".repeat(length - full)
}

/// A text in exactly so many columns, cut in the middle: names that begin alike end differently.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let letters = text.chars().count();
    if letters <= columns {
        return format!("{text:columns$}");
    }
    let kept = columns.saturating_sub(1);
    let (start, end) = (kept.div_ceil(2), kept / 2);
    let dots = if columns == 0 { "" } else { "…" };
    text.chars().take(start).chain(dots.chars()).chain(text.chars().skip(letters - end)).collect()
}

/// A text in exactly so many columns, cut at its end.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns || columns == 0 {
        return fit(text, columns);
    }
    text.chars().take(columns - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_four_columns_at_most() {
        let counts = [0, 999, 1000, 9949, 9951, 999_499, 999_500, 12_345_678, u64::MAX].map(count);
        assert_eq!(counts, ["0", "999", "1.0k", "9.9k", "10k", "999k", "1.0M", "12M", "lots"]);
        let rates = [0.0, 0.04, 9.94, 9.96, 999.4, 999.6, 1e18].map(|value| rate(Some(value)));
        assert_eq!(rates, ["0", "0.0", "9.9", "10", "999", "1.0k", "lots"]);
        assert_eq!((rate(None), percent(None), percent(Some(1.0))), ("-".into(), "-".into(), "100%".into()));
    }

    #[test]
    fn bars_and_names_are_as_long_as_they_should() {
        assert_eq!([0.0, 0.5, 1.0, 7.0].map(|share| bar(share, 4)), ["░░░░", "██░░", "████", "████"]);
        assert_eq!(fit("count", 7), "count  ");
        assert_eq!(fit("a_long_name[12]", 8), "a_lo…12]");
        assert_eq!([cut("ab", 3), cut("abc", 2), cut("abc", 0)], ["ab ", "a…", ""]);
        assert_eq!([fit("ab", 1), fit("ab", 0), fit("", 2)], ["…", "", "  "]);
    }
}
