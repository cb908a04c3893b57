//! The two tables, and which of their rows are seen.

use std::ops::Range;

use ratatui::layout::Rect;

use super::rows::Rows;
use super::rows_of;

/// A table on the screen.
#[derive(Clone, Debug)]
pub(super) struct Pane {
    /// The line of the column's names, and the rows below it.
    pub(super) area: Rect,
    /// The rows that are seen.
    pub(super) seen: Range<usize>,
    /// How many there are.
    pub(super) all: usize,
    /// The one that is selected, if it is of this table.
    pub(super) selected: Option<usize>,
}

/// Both tables.
#[derive(Debug)]
pub(super) struct Panes {
    pub(super) stages: Pane,
    pub(super) edges: Pane,
}

impl Panes {
    /// Lines that are no rows: the names of the columns of both tables, and an empty line between the two.
    pub(super) const HEADERS: u16 = 3;

    /// Each gets what it needs; if that is too much, neither is left with less than half.
    pub(super) fn split(rows: &Rows<'_>, selected: usize, area: Rect) -> Self {
        let room = usize::from(area.height.saturating_sub(Self::HEADERS));
        let (stages, edges) = (rows.stages.len(), rows.edges.len());
        let upper = stages.min((room / 2).max(room.saturating_sub(edges)));
        let lower = edges.min(room - upper);
        let selected = selected.min((stages + edges).saturating_sub(1));
        let height = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(1);
        Self {
            stages: Pane::new(rows_of(area, 0, height(upper)), upper, stages, Some(selected)),
            edges: Pane::new(
                rows_of(area, height(upper) + 1, height(lower)),
                lower,
                edges,
                selected.checked_sub(stages),
            ),
        }
    }
}

impl Pane {
    /// The selected row is in the middle, if there are enough on both sides.
    fn new(area: Rect, room: usize, all: usize, selected: Option<usize>) -> Self {
        let selected = selected.filter(|&row| row < all);
        let first = selected.unwrap_or(0).saturating_sub(room / 2).min(all.saturating_sub(room));
        Self { area, seen: first..(first + room).min(all), all, selected }
    }

    /// What the table shows, and which part of it.
    pub(super) fn title(&self, name: &str) -> String {
        match self.seen.len() == self.all {
            true => name.to_owned(),
            false => format!("{name} {}-{}/{}", self.seen.start + 1, self.seen.end, self.all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_is_seen() {
        for (room, all) in [(5, 20), (1, 3), (20, 5), (0, 3), (4, 0)] {
            for selected in 0..all {
                let pane = Pane::new(Rect::default(), room, all, Some(selected));
                assert_eq!(pane.seen.len(), room.min(all));
                assert!(pane.seen.contains(&selected) || room == 0, "{pane:?}");
            }
        }
        assert_eq!(Pane::new(Rect::default(), 5, 20, None).title("stage"), "stage 1-5/20");
    }
}
