//! What the keys do, and what is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::rows_of;

const HELP: &str = "\
q  Esc  Ctrl-C   leave            r   show replicas one by one, or together
↑ ↓  k j         select a row     s   sort: topology, busy, rate
PageUp PageDown  ten at a time    p   let the picture stand still
Home End         first, last      h ? this, and back

in/s out/s  events a second       busy  the time spent in callbacks
buf   events that nobody wants    mbox  messages not looked at
wanted  asked for and not sent    flight  sent and not handled, of at most

► BOTTLENECK is the busiest of the stages that hold up others: more events
are in flight to it than it wants, or it is a source, and more is wanted of
it than is in flight. Those that wait count if no other is half busy.";

pub(super) fn draw(area: Rect, buffer: &mut Buffer) {
    for (number, text) in (0..).zip(HELP.lines()) {
        let line = rows_of(area, number, 1);
        if line.height > 0 {
            buffer.set_line(line.x, line.y, &Line::from(text), line.width);
        }
    }
}
