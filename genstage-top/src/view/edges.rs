//! The table of the edges.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::number::{bar, count, fit, rate};
use super::pane::Pane;
use super::rows::Rows;
use super::{View, rows_of};
use crate::model::EdgePicture;

/// What the columns take that are always as wide.
const OTHERS: usize = 37;

pub(super) fn draw(view: &View<'_>, rows: &Rows<'_>, pane: &Pane, buffer: &mut Buffer) {
    if pane.area.height == 0 {
        return;
    }
    let (name, length) = widths(pane.area.width);
    let title = fit(&pane.title("edge"), name);
    let titles =
        format!("   {title} {:>6} {:>6} {:>6} {:7} {:length$}", "sent/s", "wanted", "flight", "of max", "");
    buffer.set_line(pane.area.x, pane.area.y, &Line::styled(titles, view.theme.title()), pane.area.width);
    for (line, number) in (1..).zip(pane.seen.clone()) {
        let is_selected = pane.selected == Some(number) && !view.controls.unselected;
        let area = rows_of(pane.area, line, 1);
        let edge = rows.edges[number];
        let [sent, wanted, flight] = [rate(edge.rate), count(edge.outstanding), count(edge.in_flight)];
        let (mark, label) = (if is_selected { "> " } else { "  " }, label(edge, name));
        let text = format!("{mark} {label} {sent:>6} {wanted:>6} {flight:>6} of {:4} ", bound(edge));
        let bar = Span::styled(bar(edge.fill(), length), view.theme.bar());
        buffer.set_line(area.x, area.y, &Line::from(vec![text.into(), bar]), area.width);
        if is_selected {
            buffer.set_style(area, view.theme.selected());
        }
    }
}

/// Of the names, and of the bar.
fn widths(width: u16) -> (usize, usize) {
    let left = usize::from(width).saturating_sub(OTHERS);
    let bar = (left / 3).min(20);
    (left - bar, bar)
}

/// Both names in exactly so many columns. The shorter one leaves its columns to the other.
fn label(edge: &EdgePicture, columns: usize) -> String {
    let room = columns.saturating_sub(" => ".len());
    let [from, to] = [&edge.from, &edge.to].map(|name| name.chars().count());
    let from = from.min((room / 2).max(room.saturating_sub(to)));
    let label = format!("{} => {}", fit(&edge.from, from), fit(&edge.to, to.min(room - from)));
    fit(&label, columns)
}

fn bound(edge: &EdgePicture) -> String {
    edge.max_demand.map_or_else(|| "∞".into(), count)
}

/// All there is to say about an edge.
pub(super) fn in_full(edge: &EdgePicture) -> String {
    let EdgePicture { sent, outstanding, in_flight, max_demand, .. } = edge;
    let bound = max_demand.map_or_else(|| "any number".into(), |max| max.to_string());
    format!(
        "{} => {}: {sent} sent, {outstanding} wanted, {in_flight} in flight of {bound}",
        edge.from, edge.to
    )
}
