//! A real terminal for tests: one of tmux's, with a server of its own that ends with the test.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]
#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::ErrorKind;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long something may take that is waited for, on however slow a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before the next look.
const LOOK: Duration = Duration::from_millis(20);

/// What the shell says when the program has ended: its exit status, and whether the terminal gives whole lines again.
const AFTER: &str = r#"; echo "status $?, $(stty -a | grep -o '[-]*icanon')"; exec cat"#;

/// A terminal of 80x24 with a program in it.
pub(crate) struct Terminal {
    /// Of tmux's socket; removed when the server has gone.
    folder: TempDir,
}

impl Terminal {
    /// Starts a command of the shell, behind a line that says `before`.
    pub(crate) fn start(command: &str) -> Self {
        let terminal = Self { folder: tempfile::tempdir().unwrap() };
        let command = format!("echo before; {command}{AFTER}");
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", &command]);
        terminal
    }

    fn run(&self, args: &[&str]) -> std::io::Result<Output> {
        let socket = self.folder.path().join("tmux");
        Command::new("tmux").arg("-u").arg("-S").arg(socket).args(args).env("RUST_BACKTRACE", "0").output()
    }

    fn tmux(&self, args: &[&str]) -> String {
        let output = self.run(args).unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => {
                panic!("this test needs the package tmux: apt-get install tmux, or brew install tmux")
            }
            _ => panic!("tmux {args:?}: {error}"),
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Presses keys, by their names in tmux.
    pub(crate) fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    pub(crate) fn resize(&self, width: u16, height: u16) {
        let [width, height] = [width, height].map(|size| size.to_string());
        self.tmux(&["resize-window", "-x", &width, "-y", &height]);
    }

    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen is so; what it is then.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(began.elapsed() < PATIENCE, "waited for {what} in vain:\n{screen}");
            sleep(LOOK);
        }
    }

    /// Waits until that is on the screen.
    pub(crate) fn until_shown(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits for the end of the program, with that exit status, and checks that the terminal is as before.
    pub(crate) fn until_ended(&self, status: u8) -> String {
        let screen = self.until_shown("status ");
        assert!(screen.contains(&format!("status {status}, icanon")), "{screen}");
        // After a new size, tmux puts it behind what was on the alternate screen.
        assert!(
            screen.lines().any(|line| line.ends_with("before")),
            "the screen from before is gone:\n{screen}"
        );
        let flags = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        assert_eq!(flags, "0 1\n", "neither the alternate screen nor a hidden cursor is left");
        screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // If there is no server, there is none to end.
        let _ = self.run(&["kill-server"]);
    }
}
