//! Runs `line_server` as a user does, with clients over real sockets.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, ChildStderr, ChildStdout, Stdio};
use std::thread;
use std::time::Duration;

struct Server {
    process: Process,
    address: String,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program::command("line_server")
            .args(arguments)
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        stderr.read_line(&mut first).unwrap();
        let address = first.trim_end().strip_prefix("listening at ").unwrap().to_owned();
        Self { process: Process(child), address, stdout, stderr }
    }

    fn client(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// The next line that it prints, without its end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line.pop(), Some('\n'), "the server has ended");
        line
    }

    /// Presses Ctrl-C; what it prints from then on, and what it says at last.
    fn stop(mut self) -> (String, String) {
        program::interrupt(&self.process.0);
        let (mut printed, mut said) = (String::new(), String::new());
        self.stdout.read_to_string(&mut printed).unwrap();
        self.stderr.read_to_string(&mut said).unwrap();
        assert!(self.process.0.wait().unwrap().success(), "{said}");
        (printed, said)
    }

    /// The most memory that it has had so far, in bytes.
    #[cfg(target_os = "linux")]
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")).unwrap();
        peak.trim().parse::<u64>().unwrap() * 1024
    }
}

/// One that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Adds up the lines of each key, as the server should have: its numbers are 1, 2, 3 and so on.
#[derive(Default)]
struct Counts(HashMap<String, u64>);

impl Counts {
    fn add(&mut self, line: &str) {
        let (key, totals) = line.split_once('\t').unwrap();
        let count = self.0.entry(key.to_owned()).or_default();
        *count += 1;
        assert_eq!(totals, format!("{count}\t{}", *count * (*count + 1) / 2), "of {key}");
    }
}

fn numbered(key: &str, count: u64) -> String {
    (1..=count).map(|n| format!("{key} {n}\n")).collect()
}

#[test]
fn each_line_of_many_clients_is_counted_once_and_in_order() {
    let mut server = Server::start(&[]);
    let clients: Vec<_> = (0..30)
        .map(|n| {
            let mut client = server.client();
            thread::spawn(move || client.write_all(numbered(&format!("client{n}"), 1000).as_bytes()).unwrap())
        })
        .collect();
    let mut counts = Counts::default();
    (0..30_000).for_each(|_| counts.add(&server.line()));
    clients.into_iter().for_each(|client| client.join().unwrap());
    assert_eq!(counts.0, (0..30).map(|n| (format!("client{n}"), 1000)).collect());
    let (printed, said) = server.stop();
    assert_eq!(printed, "");
    assert!(said.contains("left out: 0 without a key and a number, 0 too long, 0 cut off"), "{said}");
}

/// Nobody reads what the server prints: then no client may write for ever. When somebody does, all that was sent goes
/// through the server, and it has no more memory than it had when the clients were held up.
#[cfg(target_os = "linux")]
#[test]
fn fast_clients_are_held_up_and_memory_stays_as_it_is() {
    const LINES: u64 = 40 * 1024;
    let key = "k".repeat(1000);
    let mut server = Server::start(&[]);
    let clients = [(); 2].map(|()| {
        // More than the system itself would keep of a connection.
        let (mut client, text) = (server.client(), format!("{key} 0\n").repeat(LINES as usize));
        thread::spawn(move || {
            client.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
            let mut written = 0;
            let held_up = loop {
                match client.write(&text.as_bytes()[written..]) {
                    Ok(bytes) => written += bytes,
                    Err(error) => break error,
                }
                assert!(written < text.len(), "the server has taken everything, and printed nothing");
            };
            assert_eq!(held_up.kind(), ErrorKind::WouldBlock);
            move || {
                client.set_write_timeout(None).unwrap();
                client.write_all(&text.as_bytes()[written..]).unwrap();
            }
        })
    });
    let held_up = clients.map(|client| client.join().unwrap());
    let memory = server.memory();
    let clients = held_up.map(thread::spawn);
    for count in 1..=2 * LINES {
        assert!(server.line() == format!("{key}\t{count}\t0"), "the totals are wrong");
    }
    clients.into_iter().for_each(|client| client.join().unwrap());
    let grown = server.memory() - memory;
    assert!(grown < 16 << 20, "{grown} bytes more, of {memory}, while 80 MB went through");
}

/// Of lines that are read as one piece, all or none are printed, though not all of them have been emitted when Ctrl-C comes:
/// what is printed until then is more than a pipe takes.
#[test]
fn ctrl_c_handles_all_that_was_read() {
    let mut server = Server::start(&[]);
    let piece = |key| numbered(&format!("{key:02}"), 400) + "cut off";
    assert!(piece(0).len() < 4096);
    let clients: Vec<_> = (0..50)
        .map(|key| {
            let mut client = server.client();
            client.write_all(piece(key).as_bytes()).unwrap();
            client
        })
        .collect();
    let mut counts = Counts::default();
    counts.add(&server.line());
    let (printed, said) = server.stop();
    printed.lines().for_each(|line| counts.add(line));
    assert!(counts.0.values().all(|count| *count == 400), "{:?}", counts.0);
    assert!(said.contains(&format!(", {} cut off", counts.0.len())), "{said}");
    drop(clients);
}

#[test]
fn a_fast_client_holds_up_no_other_and_ctrl_c_comes_through() {
    const FLOOD: u64 = 1_000_000;
    let mut server = Server::start(&[]);
    let mut fast = server.client();
    let flood = thread::spawn(move || {
        // Until the server has gone.
        let _ = (1..=FLOOD).try_for_each(|n| writeln!(fast, "fast {n}"));
    });
    let mut counts = Counts::default();
    counts.add(&server.line());
    let mut quiet = server.client();
    quiet.write_all(b"quiet 1\n").unwrap();
    while !counts.0.contains_key("quiet") {
        counts.add(&server.line());
    }
    assert!(counts.0["fast"] < FLOOD);
    let (printed, said) = server.stop();
    printed.lines().for_each(|line| counts.add(line));
    flood.join().unwrap();
    let printed = counts.0["fast"] + counts.0["quiet"];
    let emitted = said.lines().find_map(|line| line.strip_prefix("clients |> parse ")).unwrap();
    let emitted: Vec<_> = emitted.split_whitespace().collect();
    assert_eq!(emitted, ["0", &printed.to_string(), "0", "0", "normal"]);
}

#[test]
fn what_is_no_reading_is_left_out_and_counted() {
    let mut server = Server::start(&[]);
    let mut client = server.client();
    client.write_all(b"a 1\na\na x\na 2 3\n\n\xff 1\na 2\r\n").unwrap();
    assert_eq!([server.line(), server.line()], ["a\t1\t1", "a\t2\t3"]);
    #[cfg(target_os = "linux")]
    let memory = server.memory();
    client.write_all(&vec![b' '; 64 << 20]).unwrap();
    client.write_all(b"\na 3").unwrap();
    // It is gone in the middle of a line; the server closes the connection when it has seen that.
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    #[cfg(target_os = "linux")]
    assert!(server.memory() - memory < 16 << 20);
    let (printed, said) = server.stop();
    assert_eq!(printed, "");
    assert!(said.contains("left out: 5 without a key and a number, 1 too long, 1 cut off"), "{said}");
}

#[test]
fn so_many_clients_are_read_at_a_time() {
    let mut server = Server::start(&["--clients", "1"]);
    let mut first = server.client();
    first.write_all(b"first 1\n").unwrap();
    assert_eq!(server.line(), "first\t1\t1");
    server.client().write_all(b"second 1\n").unwrap();
    first.write_all(b"first 2\n").unwrap();
    assert_eq!(server.line(), "first\t2\t3");
    drop(first);
    assert_eq!(server.line(), "second\t1\t1");
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let mut server = Server::start(&[]);
    let mut client = server.client();
    drop(server.stdout);
    client.write_all(b"a 1\n").unwrap();
    assert!(server.process.0.wait().unwrap().success());
}

#[test]
fn an_address_that_cannot_be_had_is_named() {
    let server = Server::start(&[]);
    let output = program::command("line_server").arg(&server.address).output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&format!("cannot listen at {}", server.address)), "{error}");
}
