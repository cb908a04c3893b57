//! What is on the screen, drawn from a [`Picture`] alone.

mod columns;
mod controls;
mod edges;
mod header;
mod help;
mod number;
mod pane;
mod rows;
mod stages;
mod theme;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

pub use controls::{Controls, Leave, Sort};
pub use theme::Theme;

use crate::model::Picture;
use pane::Panes;
use rows::Rows;

/// The smallest screen that something can be seen on: columns and lines.
pub const SMALLEST: (u16, u16) = (60, 12);

/// Lines above the panes: two of the header, and one that is empty.
const ABOVE: u16 = 3;

/// Lines below the panes: an empty one, the selected row in full, and the keys.
const BELOW: u16 = 3;

/// All that a screen shows.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The pipeline.
    pub picture: &'a Picture,
    /// What the user has chosen.
    pub controls: &'a Controls,
    /// Why nothing new comes, if nothing does.
    pub trouble: Option<&'a str>,
    /// Its colours.
    pub theme: Theme,
}

impl View<'_> {
    /// Draws the whole screen.
    pub fn draw(self, area: Rect, buffer: &mut Buffer) {
        let (width, height) = SMALLEST;
        if area.width < width || area.height < height {
            return too_small(area, buffer);
        }
        header::draw(&self, rows_of(area, 0, 2), buffer);
        let middle = rows_of(area, ABOVE, area.height - ABOVE - BELOW);
        match self.controls.help {
            true => help::draw(middle, buffer),
            false => self.draw_panes(middle, buffer),
        }
        header::draw_keys(&self, rows_of(area, area.height - 2, 2), buffer);
    }

    fn draw_panes(&self, area: Rect, buffer: &mut Buffer) {
        let rows = Rows::of(self.picture, self.controls);
        let panes = Panes::split(&rows, self.controls.selected, area);
        stages::draw(self, &rows, &panes.stages, buffer);
        edges::draw(self, &rows, &panes.edges, buffer);
    }

    /// How many rows can be selected.
    #[must_use]
    pub fn rows(&self) -> usize {
        Rows::of(self.picture, self.controls).len()
    }
}

/// Some lines of an area.
fn rows_of(area: Rect, from: u16, height: u16) -> Rect {
    Rect { y: area.y + from, height, ..area }.intersection(area)
}

fn too_small(area: Rect, buffer: &mut Buffer) {
    let ((width, height), Rect { width: columns, height: lines, .. }) = (SMALLEST, area);
    let text = ["This terminal is too small:", &format!("{columns}x{lines}, needs {width}x{height}.")];
    for (number, text) in text.into_iter().zip(0..).map(|(text, number)| (number, text)) {
        let area = rows_of(area, number, 1);
        if area.height > 0 {
            buffer.set_line(area.x, area.y, &Line::from(text), area.width);
        }
    }
}

/// The pipeline as plain text, as wide as that and as high as need be.
#[must_use]
pub fn text(picture: &Picture, width: u16) -> String {
    let controls = Controls { unselected: true, ..Controls::default() };
    let view = View { picture, controls: &controls, trouble: None, theme: Theme::PLAIN };
    let rows = u16::try_from(view.rows()).unwrap_or(u16::MAX);
    let panes = rows.saturating_add(Panes::HEADERS);
    let area = Rect::new(0, 0, width.max(SMALLEST.0), ABOVE.saturating_add(panes));
    let mut buffer = Buffer::empty(area);
    header::draw(&view, rows_of(area, 0, 2), &mut buffer);
    view.draw_panes(rows_of(area, ABOVE, panes), &mut buffer);
    lines(&buffer)
}

/// What a screen shows as plain text, without the blanks at the ends of its lines.
#[must_use]
pub fn lines(buffer: &Buffer) -> String {
    let mut text = String::new();
    for line in buffer.content.chunks(usize::from(buffer.area.width.max(1))) {
        let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
