//! Runs `work_queue` as a user does: with jobs that fail, workers that crash, an interrupt, kills, and two at a time.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Output, Stdio};

use rusqlite::Connection;
use tempfile::TempDir;

/// What became of a job: its state, how many attempts there were, and all its results.
#[derive(Debug, PartialEq)]
struct Fate {
    state: String,
    attempts: u32,
    results: Vec<String>,
}

/// A folder with a queue, in which its jobs run.
struct Queue {
    folder: TempDir,
}

impl Queue {
    /// A queue with jobs, numbered from 1.
    fn new<'a>(jobs: impl IntoIterator<Item = &'a str>) -> Self {
        let queue = Self { folder: tempfile::tempdir().unwrap() };
        let jobs: Vec<_> = jobs.into_iter().collect();
        let output = queue.command(&["add", "queue"], &jobs).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("added {} jobs to queue\n", jobs.len()));
        queue
    }

    fn command(&self, arguments: &[&str], options: &[&str]) -> Command {
        let mut command = program::command("work_queue");
        command.args(arguments).args(options).current_dir(self.folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, options: &[&str]) -> Output {
        self.command(&["run", "queue"], options).output().unwrap()
    }

    /// Runs it in a group of its own, as a shell in a terminal does.
    fn start(&self, options: &[&str]) -> Child {
        self.command(&["run", "queue"], options).process_group(0).spawn().unwrap()
    }

    fn fates(&self) -> BTreeMap<u32, Fate> {
        let database = Connection::open(self.folder.path().join("queue")).unwrap();
        let mut jobs = database.prepare("SELECT id, state, attempts FROM jobs").unwrap();
        let mut results = database.prepare("SELECT output FROM results WHERE job = ?1").unwrap();
        let mut fate = |id: u32, state, attempts| {
            let results = results.query_map([id], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            (id, Fate { state, attempts, results })
        };
        let jobs = jobs.query_map([], |row| Ok(fate(row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        jobs.map(Result::unwrap).collect()
    }

    /// How often each job has written its number into the file `log`.
    fn log(&self) -> BTreeMap<u32, usize> {
        let mut log = BTreeMap::new();
        for line in fs::read_to_string(self.folder.path().join("log")).unwrap().lines() {
            *log.entry(line.parse().unwrap()).or_default() += 1;
        }
        log
    }

    /// Makes something for jobs to wait at: `read line < gate`.
    fn make_gate(&self, name: &str) {
        assert!(Command::new("mkfifo").arg(self.folder.path().join(name)).status().unwrap().success());
    }

    /// Waits until a job is at a gate, and holds it there until this is dropped or written to.
    fn gate(&self, name: &str) -> File {
        File::options().write(true).open(self.folder.path().join(name)).unwrap()
    }
}

/// A job that is done has one result, its own.
fn done(attempts: u32, result: &str) -> Fate {
    Fate { state: "done".into(), attempts, results: vec![result.into()] }
}

fn signal(name: &str, target: &str) {
    assert!(Command::new("kill").args([name, "--", target]).status().unwrap().success());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Each writes its number into the file `log`, and to its standard output.
fn loggers(jobs: usize) -> impl Iterator<Item = &'static str> {
    std::iter::repeat_n("echo $JOB >> log; echo $JOB", jobs)
}

#[test]
fn each_job_is_done_once() {
    let queue = Queue::new(loggers(100));
    let output = queue.run(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(queue.fates(), (1..=100).map(|job| (job, done(1, &format!("{job}\n")))).collect());
    assert_eq!(queue.log(), (1..=100).map(|job| (job, 1)).collect());
    let mut lines: Vec<_> = text(&output.stdout).lines().map(str::to_owned).collect();
    let mut expected: Vec<_> = (1..=100).map(|job| format!("job {job} done: {job}")).collect();
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    assert!(text(&output.stderr).ends_with("100 done, 0 dead, 0 open\n"), "{}", text(&output.stderr));

    let again = queue.run(&[]);
    assert_eq!(text(&again.stdout), "");
    assert_eq!(queue.log().len(), 100);
}

#[test]
fn two_programs_share_a_queue() {
    let queue = Queue::new(loggers(200));
    let both = [queue.start(&[]), queue.start(&[])];
    let both = both.map(|child| child.wait_with_output().unwrap());
    let lines: usize = both.iter().map(|output| text(&output.stdout).lines().count()).sum();
    assert_eq!(lines, 200, "{both:?}");
    assert_eq!(queue.fates(), (1..=200).map(|job| (job, done(1, &format!("{job}\n")))).collect());
    assert_eq!(queue.log(), (1..=200).map(|job| (job, 1)).collect());
}

#[test]
fn a_job_that_fails_is_tried_again_until_it_is_dead() {
    let queue = Queue::new([
        "echo $JOB >> log; echo so it is >&2; exit 7",
        "echo $JOB >> log; test $(grep -c $JOB log) = 2 && echo at last",
        "echo $JOB >> log",
    ]);
    let output = queue.run(&["--attempts", "3", "--backoff", "0.01"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let dead = Fate { state: "dead".into(), attempts: 3, results: vec![] };
    assert_eq!(queue.fates(), [(1, dead), (2, done(2, "at last\n")), (3, done(1, ""))].into());
    assert_eq!(queue.log(), [(1, 3), (2, 2), (3, 1)].into());
    for line in [
        "job 1 failed at attempt 1, again in 10ms: exit status: 7: so it is\n",
        "job 1 failed at attempt 2, again in 20ms: exit status: 7: so it is\n",
        "job 1 failed at attempt 3, the last one: exit status: 7: so it is\n",
        "job 2 failed at attempt 1, again in 10ms: exit status: 1\n",
        "job 2 done: at last\n",
        "job 3 done: \n",
    ] {
        assert!(text(&output.stdout).contains(line), "{}", text(&output.stdout));
    }
    let end = "2 done, 1 dead, 0 open\njob 1 is dead: exit status: 7: so it is\n";
    assert!(text(&output.stderr).ends_with(end), "{}", text(&output.stderr));
}

#[test]
fn a_job_that_takes_too_long_is_cut_off() {
    let queue = Queue::new(["echo $JOB >> log; exec sleep 1000"]);
    let output = queue.run(&["--lease", "0.5", "--attempts", "1"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(queue.fates(), [(1, Fate { state: "dead".into(), attempts: 1, results: vec![] })].into());
    assert_eq!(queue.log(), [(1, 1)].into());
}

/// A worker that crashes has done its job and not said so: the job is done at least once, and has one result.
#[test]
fn a_worker_that_crashes_neither_loses_nor_doubles_a_job() {
    let queue = Queue::new(loggers(40));
    let output = queue.run(&["--crash-every", "5", "--lease", "1", "--attempts", "100"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    let fates = queue.fates();
    for (job, fate) in &fates {
        assert_eq!(*fate, done(fate.attempts, &format!("{job}\n")));
    }
    assert_eq!(fates.len(), 40);
    let crashes = stderr.matches("a worker crashes, because of --crash-every").count();
    assert!(crashes >= 8, "{stderr}");
    // On a machine with much else to do an attempt may be cut off, or late.
    let failures = stdout.matches(" failed at attempt ").count() + stdout.matches(" not recorded: ").count();
    let attempts: u32 = fates.values().map(|fate| fate.attempts).sum();
    assert_eq!(attempts as usize, 40 + crashes + failures, "{stdout}{stderr}");
}

#[test]
fn a_job_whose_worker_crashes_each_time_is_dead() {
    let queue = Queue::new(loggers(2));
    let output = queue.run(&["--crash-every", "1", "--lease", "0.5", "--attempts", "2"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("job 2 is dead: its worker has crashed\n"),
        "{}",
        text(&output.stderr)
    );
    assert!(queue.fates().values().all(|fate| fate.state == "dead" && fate.results.is_empty()));
}

/// The signal goes to all programs of the group, as it does in a terminal.
#[test]
fn ctrl_c_finishes_the_jobs_that_run_and_begins_no_more() {
    let gated = ["read line < gate1; echo $line", "read line < gate2; echo $line"];
    let queue = Queue::new(gated.into_iter().chain(loggers(20)));
    let gates = ["gate1", "gate2"];
    gates.iter().for_each(|gate| queue.make_gate(gate));
    let mut child = queue.start(&["--workers", "2"]);
    let gates = gates.map(|gate| queue.gate(gate));
    signal("-INT", &format!("-{}", child.id()));
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert_eq!(said, "interrupted: no more jobs are begun, those that run are finished\n");
    gates.into_iter().for_each(|mut gate| gate.write_all(b"through\n").unwrap());
    stderr.read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("\n2 done, 0 dead, 20 open\n"), "{said}");

    assert!(queue.run(&[]).status.success());
    let expected = |job| done(1, &if job <= 2 { "through\n".to_owned() } else { format!("{job}\n") });
    assert_eq!(queue.fates(), (1..=22).map(|job| (job, expected(job))).collect());
    assert_eq!(queue.log(), (3..=22).map(|job| (job, 1)).collect());
}

/// At each kill one job is at a gate, and others are wherever they are.
#[test]
fn kills_neither_lose_nor_double_a_job() {
    let gated = "mkdir at$JOB 2> err && read line < gate$JOB; echo $JOB >> log; echo $JOB";
    let queue = Queue::new(loggers(60).enumerate().map(|(n, job)| if n % 20 == 10 { gated } else { job }));
    let options = ["--lease", "1", "--attempts", "100"];
    for job in [11, 31, 51] {
        queue.make_gate(&format!("gate{job}"));
    }
    for job in [11, 31, 51] {
        let mut child = queue.start(&options);
        let gate = queue.gate(&format!("gate{job}"));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        drop(gate);
        assert_eq!(queue.fates()[&job], Fate { state: "open".into(), attempts: 1, results: vec![] });
    }
    let output = queue.run(&options);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (job, fate) in queue.fates() {
        assert_eq!(fate, done(fate.attempts, &format!("{job}\n")));
        assert!(fate.attempts > 1 || job % 20 != 11, "job {job}");
    }
    let log = queue.log();
    assert!(log.keys().copied().eq(1..=60), "{log:?}");
}

/// A program that was stopped for longer than its lease is late: another has the job by then.
#[test]
fn who_is_late_records_nothing() {
    let queue = Queue::new(["if mkdir at1; then read line < gate1; else read line < gate2; fi; echo $line"]);
    ["gate1", "gate2"].iter().for_each(|gate| queue.make_gate(gate));
    let mut late = queue.start(&["--lease", "3"]);
    let first = queue.gate("gate1");
    signal("-STOP", &late.id().to_string());
    let other = queue.start(&[]);
    let mut second = queue.gate("gate2");
    signal("-CONT", &late.id().to_string());
    drop(first);
    let mut said = String::new();
    BufReader::new(late.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "job 1 not recorded: it has been claimed again\n");
    assert_eq!(queue.fates(), [(1, Fate { state: "open".into(), attempts: 2, results: vec![] })].into());

    second.write_all(b"through\n").unwrap();
    let output = other.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "job 1 done: through\n", "{}", text(&output.stderr));
    assert!(late.wait().unwrap().success());
    assert_eq!(queue.fates(), [(1, done(2, "through\n"))].into());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let queue = Queue::new(["true"]);
    fs::write(queue.folder.path().join("text"), "this is no database ".repeat(1000)).unwrap();
    for (database, options, expected) in [
        ("queue", ["--lease", "soon"], "invalid float literal"),
        ("queue", ["--attempts", "0"], "0 is not in 1.."),
        ("queue", ["--workers", "0"], "expected replicas >= 1, got 0"),
        ("text", ["--workers", "1"], "Error: cannot use the database text: file is not a database\n"),
        ("no/queue", ["--workers", "1"], "Error: cannot use the database no/queue: unable to open"),
    ] {
        let output = queue.command(&["run", database], &options).output().unwrap();
        assert!(!output.status.success());
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}
