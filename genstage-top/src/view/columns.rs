//! How wide the columns are.

/// What the columns are at 80, of names, bars and notes; all others are always as wide.
const AT_80: Columns = Columns { name: 19, bar: 8, note: 14 };

/// The columns that depend on the width of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) name: usize,
    pub(super) bar: usize,
    pub(super) note: usize,
}

impl Columns {
    pub(super) fn of(width: u16) -> Self {
        let Self { name, bar, note } = AT_80;
        let width = usize::from(width);
        match width.checked_sub(80) {
            Some(more) => {
                Self { name: name + more / 2, bar: bar + more / 4, note: note + more - more / 2 - more / 4 }
            }
            None => {
                let less = 80 - width;
                Self {
                    name: name.saturating_sub(less.saturating_sub(note)),
                    bar,
                    note: note.saturating_sub(less),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_columns_together_are_as_wide_as_the_screen() {
        let others = 80 - AT_80.name - AT_80.bar - AT_80.note;
        for width in 60..300 {
            let Columns { name, bar, note } = Columns::of(width);
            assert_eq!(name + bar + note + others, usize::from(width));
            assert!(name >= 13 && bar >= 8);
        }
    }
}
