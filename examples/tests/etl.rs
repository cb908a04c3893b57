//! Runs `etl` as a user does: to the end, interrupted, killed, and with what it cannot use.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tempfile::TempDir;

/// What a line comes to.
enum Line {
    Row(String, f64),
    Rejected,
    Blank,
}

/// A line of input, and what it is to come to. Amounts are quarters, whose sums are exact.
fn line(n: u64) -> (String, Line) {
    let (shop, amount) = (n * 7 % 13, (n % 100) as f64 / 4.0);
    match n % 1000 {
        17 => (format!("{{\"shop\": {shop}, \"amount\": {amount}\n"), Line::Rejected),
        170 => (format!("{{\"amount\": {amount}}}\n"), Line::Rejected),
        171 => (format!("{{\"shop\": {shop}, \"amount\": \"{amount} or so\"}}\n"), Line::Rejected),
        172 => ("  \r\n".into(), Line::Blank),
        173 => (
            format!("{{\"shop\": \" {shop} \", \"amount\": \" {amount}\"}}\r\n"),
            Line::Row(shop.to_string(), amount),
        ),
        _ => (format!("{{\"shop\": {shop}, \"amount\": {amount}}}\n"), Line::Row(shop.to_string(), amount)),
    }
}

fn text(lines: Range<u64>) -> String {
    lines.map(|n| line(n).0).collect()
}

/// What is, or is to be, in a database: how much of the input, rows and sum of each group, which lines were rejected.
#[derive(Debug, Default, PartialEq)]
struct Account {
    bytes: u64,
    lines: u64,
    groups: BTreeMap<String, (u64, f64)>,
    rejected: Vec<u64>,
}

/// Of the first lines, the plain way.
fn account(lines: u64) -> Account {
    let mut account = Account::default();
    for n in 0..lines {
        let (text, comes_to) = line(n);
        account.bytes += text.len() as u64;
        account.lines += 1;
        match comes_to {
            Line::Row(shop, amount) => {
                let group = account.groups.entry(shop).or_default();
                *group = (group.0 + 1, group.1 + amount);
            }
            Line::Rejected => account.rejected.push(account.lines),
            Line::Blank => {}
        }
    }
    account
}

fn etl(by: &str, input: &Path, database: &Path) -> Command {
    let mut command = program::command("etl");
    command.args(["--by", by, "--sum", "amount"]).args([input, database]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A folder with a database, and perhaps input.
struct Load {
    folder: TempDir,
}

impl Load {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds to a file.
    fn append(&self, input: &str, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(input)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Loads a file.
    fn run(&self, input: &str) -> Output {
        etl("shop", &self.path(input), &self.path("database")).output().unwrap()
    }

    /// Begins to load standard input, and keeps that open when all of the text is written.
    fn start(&self, text: String) -> (Child, JoinHandle<ChildStdin>) {
        let mut child = etl("shop", Path::new("-"), &self.path("database")).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feed = thread::spawn(move || {
            // A program that has ended before does not read it all.
            let _ = stdin.write_all(text.as_bytes());
            stdin
        });
        (child, feed)
    }

    /// Loads standard input to its end.
    fn run_through(&self, text: String) -> Output {
        let (child, feed) = self.start(text);
        let close = thread::spawn(move || drop(feed.join().unwrap()));
        let output = child.wait_with_output().unwrap();
        close.join().unwrap();
        output
    }

    fn database(&self) -> Connection {
        Connection::open(self.path("database")).unwrap()
    }

    fn lines(&self) -> u64 {
        lines_in(&self.database())
    }

    fn account(&self) -> Account {
        let database = self.database();
        let position =
            database.query_row("SELECT bytes, lines FROM load", [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (bytes, lines) = position.unwrap();
        let mut groups = database.prepare("SELECT key, rows, sum FROM groups").unwrap();
        let groups = groups.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
        let groups = groups.map(Result::unwrap).collect();
        let mut rejected = database.prepare("SELECT line FROM rejected ORDER BY line").unwrap();
        let rejected = rejected.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        Account { bytes, lines, groups, rejected }
    }

    /// Waits until there are more lines than that.
    fn until_more_than(&self, lines: u64, child: &mut Child) {
        let database = self.database();
        while lines_in(&database) <= lines {
            assert!(child.try_wait().unwrap().is_none(), "it ended at {lines} lines");
            thread::yield_now();
        }
    }
}

/// How many lines are loaded.
fn lines_in(database: &Connection) -> u64 {
    database.query_row("SELECT lines FROM load", [], |row| row.get(0)).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_line_is_loaded_once_however_often_it_is_run() {
    let load = Load::new();
    std::fs::write(load.path("input"), text(0..30_000)).unwrap();
    let output = load.run("input");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(load.account(), account(30_000));
    let expected = "30000 lines loaded now, 0 before\n29880 rows in 13 groups, 90 lines rejected\n\
        rejected line 18: no JSON from column";
    assert!(said(&output).contains(expected), "{}", said(&output));
    assert!(said(&output).contains("rejected line 171: no text at /shop\n"), "{}", said(&output));
    assert!(said(&output).contains("rejected line 172: no number at /amount\n"), "{}", said(&output));
    let (most, (rows, sum)) = account(30_000).groups.into_iter().max_by_key(|(_, (rows, _))| *rows).unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("{rows}\t{sum}\t{most}\n")));

    let output = load.run("input");
    assert!(said(&output).contains("0 lines loaded now, 30000 before"), "{}", said(&output));
    assert_eq!(load.account(), account(30_000));

    load.append("input", &text(30_000..31_000));
    let output = load.run("input");
    assert!(said(&output).contains("1000 lines loaded now, 30000 before"), "{}", said(&output));
    assert_eq!(load.account(), account(31_000));
}

/// It is left, not rejected, and loaded as a whole when the rest of it has come.
#[test]
fn a_line_that_is_being_written_is_left_for_the_next_run() {
    let (before, all) = (text(0..165), text(0..200));
    let line = line(165).0.len();
    for part in 1..line - 2 {
        let load = Load::new();
        let (now, later) = all.split_at(before.len() + part);
        load.append("input", now);
        for before in [0, 165] {
            let output = load.run("input");
            assert!(output.status.success(), "{}", said(&output));
            let expected = "line 166 has no end, and is no JSON so far: it is left for the next run\n";
            assert!(said(&output).contains(expected), "{}", said(&output));
            let expected = format!("{} lines loaded now, {before} before\n", 165 - before);
            assert!(said(&output).contains(&expected), "{}", said(&output));
            assert_eq!(load.account(), account(165), "{part}");
        }
        load.append("input", later);
        assert!(load.run("input").status.success());
        assert_eq!(load.account(), account(200), "{part}");
    }
}

/// These are a row, rejected ones, a blank one, and one that ends with two bytes.
#[test]
fn a_file_may_grow_by_any_byte() {
    let load = Load::new();
    load.append("input", &text(0..169));
    for byte in text(169..175).chars() {
        load.append("input", &byte.to_string());
        let output = load.run("input");
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(load.account(), account(175));
}

#[test]
fn a_last_line_that_is_json_is_loaded_without_its_end() {
    let load = Load::new();
    let all = text(0..200);
    load.append("input", all.trim_end());
    let output = load.run("input");
    assert!(said(&output).contains("200 lines loaded now, 0 before\n196 rows"), "{}", said(&output));
    let Account { bytes, .. } = account(200);
    assert_eq!(load.account(), Account { bytes: bytes - 1, ..account(200) });

    load.append("input", "\n");
    let output = load.run("input");
    assert!(said(&output).contains("0 lines loaded now, 200 before\n196 rows"), "{}", said(&output));
    assert_eq!(load.account(), account(200));
}

/// The rest has no number of its own: a line is rejected once.
#[test]
fn a_last_line_that_goes_on_otherwise_is_rejected() {
    let load = Load::new();
    for (text, lines, rejected) in [
        (r#"{"shop": 1, "amount": 1}"#, 1, vec![]),
        (" and more\n", 1, vec![1]),
        (r#"{"shop": 1}"#, 2, vec![1, 2]),
        (" and more\n[]\n", 3, vec![1, 2, 3]),
    ] {
        load.append("input", text);
        let output = load.run("input");
        assert!(output.status.success(), "{}", said(&output));
        let account = load.account();
        assert_eq!((account.lines, account.rejected), (lines, rejected), "{text}");
        assert_eq!(account.groups, BTreeMap::from([("1".into(), (1, 1.0))]), "{text}");
    }
}

/// Whoever wrote it may have been killed: the next run gets the same once more, and perhaps all of it.
#[test]
fn a_line_that_standard_input_breaks_off_in_is_left_too() {
    let load = Load::new();
    let output = load.run_through(text(0..100) + "{\"shop\": ");
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("line 101 has no end, and is no JSON so far"), "{}", said(&output));
    assert_eq!(load.account(), account(100));
    assert!(load.run_through(text(0..200)).status.success());
    assert_eq!(load.account(), account(200));
}

/// What was read is loaded, though more may come; the next run loads the rest.
#[cfg(unix)]
#[test]
fn ctrl_c_loses_nothing_and_the_next_run_doubles_nothing() {
    let load = Load::new();
    assert!(load.run_through(String::new()).status.success());
    let (mut child, feed) = load.start(text(0..20_000) + "{\"shop\": ");
    load.until_more_than(0, &mut child);
    program::interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("interrupted: "), "{}", said(&output));
    drop(feed.join().unwrap());

    let lines = load.lines();
    assert_eq!(load.account(), account(lines));

    let output = load.run_through(text(0..40_000));
    assert!(
        said(&output).contains(&format!("{lines} lines of - have been loaded before")),
        "{}",
        said(&output)
    );
    assert!(said(&output).contains(&format!("{} lines loaded now", 40_000 - lines)), "{}", said(&output));
    assert_eq!(load.account(), account(40_000));
}

/// At each kill, the database has the lines that it says it has, and no others.
#[test]
fn kills_lose_nothing_and_double_nothing() {
    let load = Load::new();
    assert!(load.run_through(String::new()).status.success());
    let all = text(0..60_000);
    for part in 1..=12 {
        let before = load.lines();
        let (mut child, feed) = load.start(all[..all.len() / 12 * part].to_owned());
        load.until_more_than(before, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        drop(feed.join().unwrap());
        assert_eq!(load.account(), account(load.lines()), "after kill {part}");
    }
    let output = load.run_through(all);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(load.account(), account(60_000));
}

#[test]
fn what_another_run_has_loaded_meanwhile_is_not_loaded_again() {
    let load = Load::new();
    assert!(load.run_through(String::new()).status.success());
    let (mut child, feed) = load.start(text(0..100));
    load.until_more_than(99, &mut child);
    assert!(load.run_through(text(0..150)).status.success());
    let mut stdin = feed.join().unwrap();
    stdin.write_all(text(100..200).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    let expected = "other lines have been loaded meanwhile: does another etl use this database?";
    assert!(said(&output).contains(expected), "{}", said(&output));
    assert_eq!(load.account(), account(150));
}

#[test]
fn what_cannot_be_loaded_is_named_in_one_line() {
    let load = Load::new();
    std::fs::write(load.path("input"), text(0..1000)).unwrap();
    std::fs::write(load.path("other"), text(0..1000)).unwrap();
    std::fs::write(load.path("long"), "x".repeat(17 * 1024 * 1024)).unwrap();
    std::fs::write(load.path("text"), "this is no database ".repeat(1000)).unwrap();
    assert!(load.run("input").status.success());
    std::fs::write(load.path("input"), text(0..900)).unwrap();
    for (by, input, database, expected) in [
        ("shop", "missing", "new 1", "cannot read {input}: No such file or directory"),
        ("shop", "long", "new 2", "cannot read {input}: line 1 is too long: is it JSON lines?"),
        ("shop", "input", "database", "cannot read {input}: it is shorter than what was loaded of it before"),
        ("shop", "other", "database", "{database} is of another input or other fields"),
        ("amount", "input", "database", "{database} is of another input or other fields"),
        ("shop", "input", "text", "cannot use the database {database}: file is not a database"),
        ("shop", "input", "missing/one", "cannot use the database {database}: unable to open database file"),
    ] {
        let [input, database] = [input, database].map(|name| load.path(name));
        let output = etl(by, &input, &database).output().unwrap();
        assert!(!output.status.success(), "{expected}");
        let expected = expected.replace("{input}", &input.to_string_lossy());
        let expected = expected.replace("{database}", &database.to_string_lossy());
        let said = said(&output);
        let last = said.lines().last().unwrap();
        assert!(last.starts_with("Error: ") && last.contains(&expected), "{said}");
    }
    assert_eq!(load.account(), account(1000));
}
