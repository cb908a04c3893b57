//! The table of the stages.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::columns::Columns;
use super::number::{bar, count, cut, fit, percent, rate};
use super::pane::Pane;
use super::rows::{Rows, StageRow};
use super::{View, rows_of};
use crate::model::Load;
use crate::wire::Role;

/// What the bottleneck is marked with, and called.
pub(super) const SYMBOL: char = '►';
const BOTTLENECK_MARK: &str = "► ";
pub(super) const BOTTLENECK: &str = "BOTTLENECK";

pub(super) fn draw(view: &View<'_>, rows: &Rows<'_>, pane: &Pane, buffer: &mut Buffer) {
    let columns = Columns::of(pane.area.width);
    let titles = titles(&pane.title("stage"), columns);
    buffer.set_line(pane.area.x, pane.area.y, &Line::styled(titles, view.theme.title()), pane.area.width);
    for (line, number) in (1..).zip(pane.seen.clone()) {
        let is_selected = pane.selected == Some(number) && !view.controls.unselected;
        let area = rows_of(pane.area, line, 1);
        buffer.set_line(area.x, area.y, &row(view, &rows.stages[number], columns, is_selected), area.width);
        if is_selected {
            buffer.set_style(area, view.theme.selected());
        }
    }
}

fn titles(stage: &str, Columns { name, bar, note }: Columns) -> String {
    let (stage, busy) = (fit(stage, name), format!("{:bar$}     ", "busy"));
    format!(
        "   {stage} {:6} {:>5} {:>5} {busy} {:>4} {:>4} {:note$}",
        "role", "in/s", "out/s", "buf", "mbox", "notes"
    )
}

fn row(view: &View<'_>, row: &StageRow<'_>, columns: Columns, is_selected: bool) -> Line<'static> {
    let load = row.load;
    let theme = view.theme;
    let style = if row.is_bottleneck { theme.alarm() } else { theme.bar() };
    let name = if row.is_bottleneck { theme.alarm() } else { theme.strong() };
    let note = cut(&notes(row), columns.note);
    Line::from(vec![
        Span::raw(if is_selected { ">" } else { " " }),
        Span::styled(if row.is_bottleneck { BOTTLENECK_MARK } else { "  " }, style),
        Span::styled(fit(&row.label, columns.name), name),
        Span::raw(format!(" {:6} {:>5} {:>5} ", role(row.role), incoming(row), outgoing(row))),
        Span::styled(bar(load.busy.unwrap_or(0.0), columns.bar), style),
        Span::raw(format!(
            " {:>4} {:>4} {:>4} ",
            percent(load.busy),
            count(load.buffered),
            count(load.mailbox)
        )),
        if row.is_bottleneck { Span::styled(note, theme.alarm()) } else { Span::raw(note) },
    ])
}

fn role(role: Option<Role>) -> &'static str {
    match role {
        None => "",
        Some(Role::Source) => "source",
        Some(Role::Middle) => "middle",
        Some(Role::Sink) => "sink",
        Some(Role::Tasks) => "tasks",
    }
}

/// The rate of what comes in, except of a source.
fn incoming(row: &StageRow<'_>) -> String {
    match row.role {
        Some(Role::Source) => String::new(),
        _ => rate(row.load.rate_in),
    }
}

/// The rate of what goes out, except of a sink.
fn outgoing(row: &StageRow<'_>) -> String {
    match row.role {
        Some(Role::Sink | Role::Tasks) => String::new(),
        _ => rate(row.load.rate_out),
    }
}

/// What is out of the ordinary, what matters most first.
fn notes(row: &StageRow<'_>) -> String {
    let Load { lost, discarded, restarts, ended: (ended, stages), .. } = *row.load;
    let mut notes = vec![];
    if row.is_bottleneck {
        notes.push(BOTTLENECK.to_owned());
    }
    for (number, what) in [(lost, "lost"), (restarts, "restarts"), (discarded, "discarded")] {
        if number > 0 {
            notes.push(format!("{} {what}", count(number)));
        }
    }
    match (ended, stages) {
        (0, _) => {}
        _ if ended == stages => notes.push("ended".into()),
        _ => notes.push(format!("{ended} of {stages} ended")),
    }
    notes.join(", ")
}

/// All there is to say about a row.
pub(super) fn in_full(row: &StageRow<'_>) -> String {
    let Load { events_in, events_out, buffered, mailbox, restarts, discarded, lost, .. } = *row.load;
    let numbers = [
        (events_in, "in"),
        (events_out, "out"),
        (buffered, "buffered"),
        (mailbox, "in mailbox"),
        (restarts, "restarts"),
        (discarded, "discarded"),
        (lost, "lost"),
    ];
    let there = numbers.iter().filter(|(number, _)| *number > 0);
    let said: Vec<_> = there.map(|(number, what)| format!("{number} {what}")).collect();
    format!("{}: {}", row.name, if said.is_empty() { "nothing yet".into() } else { said.join(", ") })
}
