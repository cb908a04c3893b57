//! Messages about names: lists of them, and the one that was probably meant.

/// `` `a`, `b` and `c` ``, or with another word than “and”.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>, and: &str) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {and} {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}

/// What to say of a name that is none of the expected ones: which was meant, or which there are.
pub(crate) fn unknown<'a, N>(what: &str, wrong: &str, expected: N) -> String
where
    N: IntoIterator<Item = &'a str> + Clone,
{
    match nearest(wrong, expected.clone()) {
        Some(near) => format!("unknown {what} `{wrong}`: did you mean `{near}`?"),
        None => format!("unknown {what} `{wrong}`: expected {}", list(expected, "or")),
    }
}

/// As [`unknown`], for the stages of a pipeline.
pub(crate) fn unknown_stage<'a>(wrong: &str, stages: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(wrong, stages) {
        Some(near) => format!("unknown stage `{wrong}`: did you mean `{near}`?"),
        None => format!("unknown stage `{wrong}`: declare it, as in `{wrong} = …;`"),
    }
}

/// The name that differs least, if it does not differ in more than a third of its letters.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = names.into_iter().map(|name| (distance(wrong, name), name));
    let near = distances.filter(|(distance, name)| *distance <= name.chars().count().max(3) / 3);
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// How many letters have to be added, left out, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "", 0), ("ab", "ba", 1), ("max", "mx", 1), ("cat", "dog", 3)] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn only_near_names_are_proposed() {
        let options = ["max_demand", "min_demand", "cancel"];
        assert_eq!(nearest("max_demnad", options), Some("max_demand"));
        assert_eq!(nearest("cancle", options), Some("cancel"));
        assert_eq!(nearest("colour", options), None);
        assert_eq!(nearest("x", ["y"]), Some("y"));
    }

    #[test]
    fn lists() {
        assert_eq!(list(["a"], "and"), "`a`");
        assert_eq!(list(["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
