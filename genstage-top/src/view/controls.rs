//! What the user has chosen, and the keys for it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// How many rows a page is.
const PAGE: usize = 10;

/// What the user has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// The number of the selected row, edges behind stages.
    pub selected: usize,
    /// That no row is.
    pub unselected: bool,
    /// Whether replicas are rows of their own.
    pub unfolded: bool,
    /// What comes first.
    pub sort: Sort,
    /// Whether the picture stands still.
    pub paused: bool,
    /// Whether help is shown.
    pub help: bool,
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// What events pass first.
    #[default]
    Topology,
    /// The busiest stages; the fullest edges.
    Busy,
    /// What most events pass.
    Rate,
}

/// How the user left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// By `q` or Esc: enough has been seen.
    Quit,
    /// By Ctrl-C: the program is to end as well, if it is its own.
    Interrupt,
}

impl Controls {
    /// Does what a key stands for, on a screen of that many rows; how the user leaves, if it says so.
    pub fn press(&mut self, key: KeyEvent, rows: usize) -> Option<Leave> {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return Some(Leave::Interrupt),
            _ if is_control => {}
            // What was opened last is closed first.
            KeyCode::Esc if self.help => self.help = false,
            KeyCode::Char('q') | KeyCode::Esc => return Some(Leave::Quit),
            KeyCode::Char('h' | '?') => self.help = !self.help,
            KeyCode::Char('p') => self.paused = !self.paused,
            KeyCode::Char('r') => self.unfolded = !self.unfolded,
            KeyCode::Char('s') => self.sort = self.sort.next(),
            code => self.scroll(code, rows),
        }
        None
    }

    fn scroll(&mut self, code: KeyCode, rows: usize) {
        // There may be fewer rows than before.
        let (last, now) = (rows.saturating_sub(1), self.selected.min(rows.saturating_sub(1)));
        self.selected = match code {
            KeyCode::Up | KeyCode::Char('k') => now.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => now + 1,
            KeyCode::PageUp => now.saturating_sub(PAGE),
            KeyCode::PageDown => now + PAGE,
            KeyCode::Home => 0,
            KeyCode::End => last,
            _ => now,
        }
        .min(last);
    }
}

impl Sort {
    fn next(self) -> Self {
        match self {
            Self::Topology => Self::Busy,
            Self::Busy => Self::Rate,
            Self::Rate => Self::Topology,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Topology => "topology",
            Self::Busy => "busy",
            Self::Rate => "rate",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(controls: &mut Controls, code: KeyCode) -> Option<Leave> {
        controls.press(KeyEvent::new(code, KeyModifiers::NONE), 15)
    }

    #[test]
    fn the_selection_stays_on_the_rows() {
        let mut controls = Controls::default();
        let codes = [KeyCode::Up, KeyCode::PageDown, KeyCode::Char('k'), KeyCode::PageDown, KeyCode::Down];
        let selected = codes.map(|code| {
            press(&mut controls, code);
            controls.selected
        });
        assert_eq!(selected, [0, 10, 9, 14, 14]);
        controls.press(KeyEvent::new(KeyCode::Up, KeyModifiers::NONE), 4);
        assert_eq!(controls.selected, 2);
        controls.press(KeyEvent::new(KeyCode::Down, KeyModifiers::NONE), 0);
        assert_eq!(controls.selected, 0);
    }

    #[test]
    fn keys_switch_and_leave() {
        let mut controls = Controls::default();
        for code in ['s', 'r', 'p', '?'] {
            assert_eq!(press(&mut controls, KeyCode::Char(code)), None);
        }
        let (sort, on) = (Sort::Busy, true);
        assert_eq!(controls, Controls { sort, unfolded: on, paused: on, help: on, ..Controls::default() });
        assert_eq!(press(&mut controls, KeyCode::Esc), None, "closes the help");
        assert_eq!(press(&mut controls, KeyCode::Esc), Some(Leave::Quit));
        assert_eq!(press(&mut controls, KeyCode::Char('q')), Some(Leave::Quit));
        assert_eq!(press(&mut controls, KeyCode::Char('c')), None);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(controls.press(interrupt, 1), Some(Leave::Interrupt));
    }
}
