//! The terminal while something is shown on it: put back after errors and panics as well.

use std::io::{IsTerminal as _, Stdout, Write as _, stdout};
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use anyhow::{Context as _, Result, ensure};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// The alternate screen, in raw mode, until it is dropped.
pub(crate) struct Screen {
    pub(crate) terminal: Terminal<CrosstermBackend<Stdout>>,
    /// Only for its end.
    _guard: Guard,
}

impl Screen {
    pub(crate) fn open() -> Result<Self> {
        ensure!(stdout().is_terminal(), "the live view needs a terminal: standard output is none");
        let guard = Guard::set();
        enable_raw_mode().context("cannot read keys from this terminal")?;
        execute!(stdout(), EnterAlternateScreen).context("cannot draw on this terminal")?;
        let mut terminal = Terminal::new(CrosstermBackend::new(stdout())).context("cannot draw")?;
        terminal.clear().context("cannot draw")?;
        Ok(Self { terminal, _guard: guard })
    }
}

/// Puts the terminal back, and what panics say.
///
/// A panic of this thread puts it back before it says anything, so that it is read. Those of other threads, which stages survive, are
/// said when the view has gone: they would be written across it.
struct Guard {
    previous: Arc<Hook>,
    later: Arc<Mutex<Vec<String>>>,
}

impl Guard {
    fn set() -> Self {
        let (here, previous, later) = (thread::current().id(), panic::take_hook(), Arc::default());
        let guard = Self { previous: previous.into(), later };
        let (previous, later) = (guard.previous.clone(), guard.later.clone());
        panic::set_hook(Box::new(move |info| said(info, here, &*previous, &later)));
        guard
    }
}

fn said(info: &PanicHookInfo<'_>, here: ThreadId, previous: &Hook, later: &Mutex<Vec<String>>) {
    if thread::current().id() == here {
        restore();
        previous(info);
    } else {
        later.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
        // A hook cannot be set by a thread that panics; what it would do is all right in a program that ends.
        if !thread::panicking() {
            let previous = self.previous.clone();
            panic::set_hook(Box::new(move |info| previous(info)));
        }
        for message in self.later.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Who cannot be told of a panic cannot be told of that either.
            let _ = writeln!(std::io::stderr(), "{message}");
        }
    }
}

/// Whatever fails of it, the rest is tried.
fn restore() {
    let _ = disable_raw_mode();
    let _ = execute!(stdout(), LeaveAlternateScreen, Show);
}

#[cfg(test)]
#[path = "../tests/tmux/mod.rs"]
mod tmux;

#[cfg(test)]
mod tests {
    use super::*;

    /// Says that this process is the one in the terminal.
    const IS_PROGRAM: &str = "GENSTAGE_TOP_PANICS";

    /// Not a test but what the next one runs: it panics while the view is open, as another thread did before.
    #[test]
    fn program() {
        if std::env::var_os(IS_PROGRAM).is_none() {
            return;
        }
        let mut screen = Screen::open().unwrap();
        let other = thread::spawn(|| panic!("another thread has a fault"));
        assert!(other.join().is_err());
        screen.terminal.draw(|frame| frame.render_widget("the view", frame.area())).unwrap();
        panic!("the view has a fault");
    }

    #[test]
    fn panics_are_read_on_the_terminal_as_it_was_before() {
        let program = std::env::current_exe().unwrap();
        let terminal = tmux::Terminal::start(&format!(
            "{IS_PROGRAM}=1 '{}' --exact terminal::tests::program --nocapture",
            program.display()
        ));
        let screen = terminal.until_ended(101);
        for message in ["another thread has a fault", "the view has a fault"] {
            assert!(screen.contains(message), "{screen}");
        }
        assert!(!screen.contains("the view\n"), "{screen}");
    }
}
