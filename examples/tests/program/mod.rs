//! The examples' programs, which `cargo test` has built beside the test's.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub(crate) fn path(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    let program = target.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: build the examples first", program.display());
    program
}

pub(crate) fn command(example: &str) -> Command {
    Command::new(path(example))
}

/// What a program has said when it has ended, which it is to do while its standard input is open.
pub(crate) fn ended(mut child: Child) -> Output {
    let stdin = child.stdin.take();
    let (sender, output) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    let output = output.recv_timeout(Duration::from_secs(60)).unwrap();
    drop(stdin);
    output.unwrap()
}

/// Does what Ctrl-C does.
#[cfg(unix)]
pub(crate) fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}
