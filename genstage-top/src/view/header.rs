//! The lines above and below the tables.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::number::percent;
use super::rows::Rows;
use super::stages::{BOTTLENECK, SYMBOL};
use super::{View, edges, rows_of, stages};
use crate::model::{Bottleneck, Why};

const KEYS: &str = "q quit  ↑↓ select  r replicas  s sort  p pause  h help";

pub(super) fn draw(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let theme = view.theme;
    let first = vec![Span::styled("genstage-top", theme.strong()), Span::raw(format!("  {}", state(view)))];
    buffer.set_line(area.x, area.y, &Line::from(first), area.width);
    let second = match (view.trouble, view.picture.bottleneck) {
        (Some(trouble), _) => Line::styled(format!("! {trouble}"), theme.alarm()),
        (None, Some(bottleneck)) => Line::styled(sentence(view, bottleneck), theme.alarm()),
        (None, None) if view.picture.is_measured() => {
            Line::from("no bottleneck: nothing passes, or no stage holds up others")
        }
        (None, None) => Line::from("waiting for a second look"),
    };
    buffer.set_line(area.x, area.y + 1, &second, area.width);
}

fn state(view: &View<'_>) -> String {
    let picture = view.picture;
    let stages: usize = picture.nodes.iter().map(|node| node.stages.len()).sum();
    let state = match () {
        () if picture.has_ended => "ended",
        () if view.controls.paused => "PAUSED",
        () => "running",
    };
    let mean = if picture.has_ended { ", rates of all that time" } else { "" };
    let sort = match view.controls.unselected {
        true => String::new(),
        false => format!("  by {}", view.controls.sort.name()),
    };
    let seconds = picture.watched as f64 / 1e9;
    format!("{state}  {} nodes, {stages} stages  {seconds:.1} s{mean}{sort}", picture.nodes.len())
}

fn sentence(view: &View<'_>, Bottleneck { node, stage, busy, why }: Bottleneck) -> String {
    let stage = view.picture.nodes.get(node).and_then(|node| node.stages.get(stage));
    let name = stage.map_or("?", |stage| &*stage.name);
    let busy = percent(Some(busy));
    match why {
        Why::Busy | Why::Waits => {
            format!("{SYMBOL} {BOTTLENECK} {name}: the others wait for it ({busy} busy)")
        }
        Why::Was => format!("{SYMBOL} {BOTTLENECK} {name}: it was the busiest, {busy} of the time"),
    }
}

/// The selected row in full, and the keys.
pub(super) fn draw_keys(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let rows = Rows::of(view.picture, view.controls);
    let selected = view.controls.selected.min(rows.len().saturating_sub(1));
    let row = rows.stages.get(selected).map(stages::in_full);
    let edge = || selected.checked_sub(rows.stages.len()).and_then(|edge| rows.edges.get(edge));
    let row = row.or_else(|| edge().map(|edge| edges::in_full(edge)));
    if let Some(row) = row.filter(|_| !view.controls.help) {
        buffer.set_line(area.x, area.y, &Line::from(row), area.width);
    }
    let keys = rows_of(area, 1, 1);
    buffer.set_line(keys.x, keys.y, &Line::styled(KEYS, view.theme.strong()), keys.width);
}
