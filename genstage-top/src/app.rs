//! The loop: frames in, keys in, screens out.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use genstage::Watch;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::Address;
use crate::client::Client;
use crate::model::{History, Picture};
use crate::serve::INTERVAL;
use crate::terminal::Screen;
pub use crate::view::Leave;
use crate::view::{Controls, Theme, View};
use crate::wire::{Graph, Snapshot};

/// How long a key is waited for before frames are looked for.
const TICK: Duration = Duration::from_millis(50);

/// How long nobody is called who was not there.
const AGAIN: Duration = Duration::from_millis(500);

/// Shows a pipeline on this terminal until the user leaves; how they did. When all stages have ended, their last state stays.
///
/// It blocks, so a program gives it a thread of its own:
///
/// ```no_run
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let app = pipeline! {
///     from_iter(0..) => for_each(|_: u64| ());
/// }
/// .start()?;
/// let watch = app.watch();
/// let view = tokio::task::spawn_blocking(|| genstage_top::run(watch));
/// view.await??;
/// app.abort().await?;
/// # Ok(())
/// # }
/// ```
///
/// What the program prints meanwhile spoils the picture. What its other threads say when they panic is kept, and printed afterwards.
///
/// # Errors
///
/// If standard output is no terminal, or it cannot be drawn on. The terminal is as before then, as it is after a panic.
pub fn run(watch: Watch) -> Result<Leave> {
    let mut app = App::new(watch.graph().into());
    let mut last: Option<Instant> = None;
    app.run(move |app| {
        if last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return false;
        }
        last = Some(Instant::now());
        app.history.add((&watch.snapshot()).into());
        true
    })
}

/// Shows a pipeline that is served there, as [`run`] does: it blocks, too. When the connection ends, it tries to connect again, twice a
/// second.
///
/// # Errors
///
/// As [`run`], and if nobody serves there in the first place.
pub fn attach(address: &Address) -> Result<Leave> {
    let client = Client::connect(address)?;
    let mut app = App::new(client.graph().clone());
    let (sender, news) = mpsc::channel();
    let address = address.clone();
    let thread = thread::Builder::new().name("genstage-top connection".into());
    // It ends with the program, or when its news are not wanted any more.
    thread.spawn(move || follow(client, &address, &sender)).context("cannot start a thread")?;
    app.run(move |app| app.hear(&news))
}

/// What comes from a connection.
enum News {
    Graph(Graph),
    Snapshot(Snapshot),
    Trouble(String),
}

/// Passes on what comes, for as long as somebody hears it.
fn follow(client: Client, address: &Address, news: &Sender<News>) {
    let mut client = Some(client);
    loop {
        let next = match client.as_mut().map(Client::next_snapshot) {
            Some(Ok(Some(snapshot))) => News::Snapshot(snapshot),
            Some(Ok(None)) => News::Trouble("the program has gone, trying again".into()),
            Some(Err(error)) => News::Trouble(format!("{error:#}, trying again")),
            None => match Client::connect(address) {
                Ok(new) => News::Graph(client.insert(new).graph().clone()),
                Err(_) => {
                    thread::sleep(AGAIN);
                    continue;
                }
            },
        };
        if let News::Trouble(_) = next {
            client = None;
        }
        if news.send(next).is_err() {
            return;
        }
    }
}

/// What is shown.
struct App {
    history: History,
    picture: Picture,
    controls: Controls,
    trouble: Option<String>,
    theme: Theme,
}

impl App {
    fn new(graph: Graph) -> Self {
        let (history, theme) = (History::new(graph), Theme::of_environment());
        let picture = history.picture();
        Self { history, picture, controls: Controls::default(), trouble: None, theme }
    }

    /// Takes in what has come; whether anything has.
    fn hear(&mut self, news: &Receiver<News>) -> bool {
        let mut is_new = false;
        for news in news.try_iter() {
            is_new = true;
            match news {
                News::Graph(graph) => (self.history, self.trouble) = (History::new(graph), None),
                News::Snapshot(snapshot) => self.history.add(snapshot),
                News::Trouble(trouble) => self.trouble = Some(trouble),
            }
        }
        is_new
    }

    fn view(&self) -> View<'_> {
        let (picture, controls, trouble) =
            (&self.picture, &self.controls, self.trouble.as_deref().filter(|_| !self.picture.has_ended));
        View { picture, controls, trouble, theme: self.theme }
    }

    /// Until the user leaves.
    fn run(&mut self, mut look: impl FnMut(&mut Self) -> bool) -> Result<Leave> {
        let mut screen = Screen::open()?;
        let mut is_old = true;
        loop {
            is_old |= look(self);
            if is_old {
                self.draw(&mut screen)?;
            }
            is_old = event::poll(TICK).context("cannot read keys")?;
            if is_old && let Some(leave) = self.react(&event::read().context("cannot read keys")?) {
                return Ok(leave);
            }
        }
    }

    fn draw(&mut self, screen: &mut Screen) -> Result<()> {
        if !self.controls.paused {
            self.picture = self.history.picture();
        }
        let draw = |frame: &mut ratatui::Frame<'_>| self.view().draw(frame.area(), frame.buffer_mut());
        screen.terminal.draw(draw).context("cannot draw on this terminal")?;
        Ok(())
    }

    /// A new size needs nothing but to be drawn.
    fn react(&mut self, event: &Event) -> Option<Leave> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                let rows = self.view().rows();
                self.controls.press(*key, rows)
            }
            _ => None,
        }
    }
}
