//! Processes that the coordinator starts, which do not outlive it: they end when their standard input is closed, and whatever
//! becomes of the coordinator, the system closes it.

use std::io;
use std::process::Stdio;

use genstage::{Error, Result};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// This program once more.
pub(crate) struct Helper {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Helper {
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C in a terminal goes to all programs of a group; the coordinator says when these end.
        #[cfg(unix)]
        command.process_group(0);
        let mut child =
            command.spawn().map_err(|error| Error::new(error).context("cannot start a process"))?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin })
    }

    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits until it has ended of itself. Cancellation safe.
    pub(crate) async fn ended(&mut self) {
        // One that cannot be waited for is none any more.
        let _ = self.child.wait().await;
    }

    /// Has it end.
    pub(crate) async fn end(mut self) {
        drop(self.stdin.take());
        self.ended().await;
    }
}

/// Ends this process when its standard input is closed. A thread waits for that: nothing that the runtime does can hold it up.
pub(crate) fn end_with_stdin() {
    std::thread::spawn(|| {
        // However it comes to its end.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
}
