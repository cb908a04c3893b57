//! Runs `word_count` as a user does, and counts the same words once more, one after the other.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on is to fail")]

mod program;
mod words;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use words::{sequential_count, text};

fn run(args: &[&str], paths: &[&Path], input: &[u8]) -> Output {
    let mut child = program::command("word_count")
        .args(args)
        .args(paths)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feed = std::thread::spawn(move || {
        // A program that does not read its input to the end is no mistake of the test's.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap();
    output
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn counts_equal_a_sequential_count() {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<_> = (0..6).map(|n| text(1_500_000, n)).collect();
    for (n, text) in texts[..4].iter().enumerate() {
        file(folder.path(), &format!("{}/{n}.txt", n % 2), text);
    }
    let single = tempfile::tempdir().unwrap();
    let path = file(single.path(), "single", &texts[4]);
    let paths = [folder.path(), Path::new("-"), &path];
    let output = run(&["--top", "all"], &paths, texts[5].as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    assert!(stdout(&output) == sequential_count(&texts), "the counts differ");
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    assert!(stderr(&output).contains(&format!("6 files, 0 skipped, {bytes} bytes")), "{}", stderr(&output));
}

#[test]
fn the_most_frequent_words_come_first_and_ties_in_alphabetical_order() {
    let output = run(&["--top", "3"], &[Path::new("-")], "b A c, a. C 2nd ÄB äb\tc".as_bytes());
    assert_eq!(stdout(&output), "3\tc\n2\ta\n2\täb\n");
    let output =
        run(&[], &[Path::new("-")], (0..50).map(|n| format!("w{n:02} ")).collect::<String>().as_bytes());
    assert_eq!(stdout(&output).lines().count(), 20);
    assert!(stdout(&output).starts_with("1\tw00\n1\tw01\n"));
}

#[test]
fn without_paths_it_counts_this_project() {
    let output = run(&[], &[], b"");
    assert!(output.status.success() && stdout(&output).lines().count() == 20, "{}", stderr(&output));
}

#[test]
fn what_cannot_be_read_is_named_and_not_counted_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "good", "good text");
    let late = file(folder.path(), "late", [text(2_000_000, 7).as_bytes(), b" \xff"].concat());
    let cut = file(folder.path(), "cut", &"half a character: ä".as_bytes()[..19]);
    let missing = folder.path().join("missing");
    let output = run(&["--top", "all"], &[&missing, &late, &cut, &good], b"");
    assert!(output.status.success());
    assert_eq!(stdout(&output), "1\tgood\n1\ttext\n");
    let stderr = stderr(&output);
    assert!(stderr.contains(&format!("skipped {}: No such file", missing.display())), "{stderr}");
    let byte = fs::metadata(&late).unwrap().len() - 1;
    assert!(stderr.contains(&format!("skipped {}: not UTF-8 at byte {byte}", late.display())), "{stderr}");
    assert!(stderr.contains(&format!("skipped {}: not UTF-8 at byte 18", cut.display())), "{stderr}");
    assert!(stderr.contains("1 files, 3 skipped, 9 bytes, 2 words"), "{stderr}");
}

#[test]
fn strict_ends_at_what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "good", "good text");
    let bad = file(folder.path(), "bad", b"bad \xc3 text");
    let output = run(&["--strict"], &[&good, &bad], b"");
    assert!(!output.status.success());
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains(&format!("cannot count {}", bad.display())), "{}", stderr(&output));
    assert!(stderr(&output).contains("not UTF-8 at byte 4"), "{}", stderr(&output));
}

/// A failure does not wait for what there still is to read.
#[test]
fn strict_ends_while_standard_input_is_open() {
    let mut child = program::command("word_count")
        .args(["--strict", "missing", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    assert!(!child.wait().unwrap().success());
    drop(stdin);
}

#[test]
fn a_wrong_option_is_explained() {
    let output = run(&["--top", "some"], &[], b"");
    assert!(!output.status.success());
    assert!(stderr(&output).contains("--top"), "{}", stderr(&output));
}
