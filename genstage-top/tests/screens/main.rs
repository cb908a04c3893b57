//! What is on the screen, character by character, drawn on ratatui's test backend.
//!
//! `UPDATE_SCREENS=1 cargo test -p genstage-top --test screens` writes the expected screens, and the one in the README.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

mod pipelines;

use std::fs;
use std::path::{Path, PathBuf};

use genstage_top::model::{History, Picture};
use genstage_top::view::{Controls, Sort, Theme, View, lines, text};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

fn screen(picture: &Picture, controls: &Controls, theme: Theme, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let view = View { picture, controls, trouble: None, theme };
    terminal.draw(|frame| view.draw(frame.area(), frame.buffer_mut())).unwrap();
    terminal.backend().buffer().clone()
}

fn plain(picture: &Picture, controls: &Controls, size: (u16, u16)) -> String {
    lines(&screen(picture, controls, Theme::PLAIN, size))
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn updates() -> bool {
    std::env::var_os("UPDATE_SCREENS").is_some()
}

/// That the screen is the one in that file.
fn check(name: &str, shown: &str) {
    let path: PathBuf = folder().join("tests/screens").join(format!("{name}.txt"));
    if updates() {
        fs::write(&path, shown).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(shown == expected, "{name} is\n{shown}\nand was expected to be\n{expected}");
}

#[test]
fn words_at_80x24() {
    let shown = plain(&pipelines::words(), &Controls::default(), (80, 24));
    check("words_80x24", &shown);
    in_the_readme(&shown);
}

/// That the README shows it, without its empty lines in the middle.
fn in_the_readme(shown: &str) {
    let shown = shown.replace("\n\n\n", "\n").replace("\n\n\n", "\n\n").replace("\n\n\n", "\n\n");
    let path = folder().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let parts =
        readme.split_once("```text\n").and_then(|(before, rest)| Some((before, rest.split_once("```")?)));
    let Some((before, (picture, after))) = parts else { panic!("the README has no picture") };
    if updates() {
        return fs::write(&path, format!("{before}```text\n{shown}```{after}")).unwrap();
    }
    assert!(picture == shown, "the picture in the README is to be\n{shown}");
}

#[test]
fn every_replica_at_120x30() {
    let controls = Controls { unfolded: true, selected: 6, ..Controls::default() };
    check("orders_120x30", &plain(&pipelines::orders(), &controls, (120, 30)));
}

#[test]
fn the_busiest_first_at_60x12() {
    let controls = Controls { sort: Sort::Busy, selected: 9, paused: true, ..Controls::default() };
    check("orders_60x12", &plain(&pipelines::orders(), &controls, (60, 12)));
}

#[test]
fn more_rows_than_lines_at_80x24() {
    let controls = Controls { unfolded: true, selected: 40, ..Controls::default() };
    check("many_80x24", &plain(&pipelines::many(), &controls, (80, 24)));
}

#[test]
fn help_at_80x24() {
    let controls = Controls { help: true, ..Controls::default() };
    check("help_80x24", &plain(&pipelines::words(), &controls, (80, 24)));
}

/// In place of the bottleneck: a line has no room for both.
#[test]
fn why_nothing_new_comes() {
    let (picture, controls) = (pipelines::words(), Controls::default());
    let trouble = Some("the program has gone, trying again");
    let view = View { picture: &picture, controls: &controls, trouble, theme: Theme::PLAIN };
    let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 12));
    view.draw(buffer.area, &mut buffer);
    assert_eq!(lines(&buffer).lines().nth(1), Some("! the program has gone, trying again"));
}

#[test]
fn before_there_is_anything() {
    check("nothing_80x24", &plain(&History::default().picture(), &Controls::default(), (80, 24)));
}

#[test]
fn as_plain_text() {
    check("orders", &text(&pipelines::orders(), 80));
}

#[test]
fn any_size_is_drawn_or_said_to_be_too_small() {
    let controls = Controls { unfolded: true, selected: 5, ..Controls::default() };
    for size in (0..70).map(|n| (n, n / 3)).chain([(59, 24), (80, 11), (60, 12), (300, 100), (1, 1), (60, 3)])
    {
        let shown = plain(&pipelines::orders(), &controls, size);
        let is_small = size.0 < 60 || size.1 < 12;
        assert_eq!(shown.contains("q quit"), !is_small, "{size:?}");
        if is_small && size.0 >= 27 && size.1 >= 2 {
            assert!(shown.contains(&format!("small:\n{}x{}, needs 60x12.", size.0, size.1)), "{shown}");
        }
    }
}

#[test]
fn nothing_is_said_by_colour_alone() {
    let (picture, controls) = (pipelines::words(), Controls::default());
    let [plain, coloured] =
        [Theme::PLAIN, Theme::COLOURS].map(|theme| screen(&picture, &controls, theme, (80, 24)));
    assert_eq!(lines(&plain), lines(&coloured));
    assert!(plain.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
    let used: Vec<_> = coloured.content.iter().map(|cell| cell.fg).filter(|fg| *fg != Color::Reset).collect();
    // Blue and orange.
    assert!(used.iter().all(|fg| [Color::Indexed(39), Color::Indexed(214)].contains(fg)));
    let symbol = |buffer: &Buffer| buffer.content.iter().rposition(|cell| cell.symbol() == "►").unwrap();
    assert!(plain.content[symbol(&plain)].modifier.contains(Modifier::BOLD));
    assert_eq!(coloured.content[symbol(&coloured)].fg, Color::Indexed(214));
}
