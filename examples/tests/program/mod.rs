//! The examples' programs, which `cargo test` has built beside the test's.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
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

/// A program says what is wrong and ends, though its standard input is open.
pub(crate) fn fails_beside_open_stdin(command: &mut Command, error: &str) {
    let output = ended(command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(error), "{said}");
}

/// A program ends, and is content, when nobody reads what it prints; though its standard input is open.
pub(crate) fn ends_when_nobody_reads(command: &mut Command, input: &[u8]) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    drop(child.stdout.take());
    child.stdin.as_ref().unwrap().write_all(input).unwrap();
    let output = ended(child);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !said.contains("panicked"), "{said}");
}

/// Does what Ctrl-C does.
#[cfg(unix)]
pub(crate) fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}
