//! A pipeline that is served, and those who look at it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::time::Duration;

use genstage::prelude::*;
use genstage::{Running, Watch};
use genstage_top::wire::{Frame, Snapshot};
use genstage_top::{Address, Client, Server};
use tokio::task::{JoinHandle, spawn, spawn_blocking};

/// Events until the test ends: the numbers, doubled by two.
fn pipeline() -> Running {
    let (pipeline, _) = pipeline! {
        numbers = from_iter(0u64..);
        twice   = map(|n: u64| n.wrapping_mul(2)), replicas: 2;

        numbers => twice [max_demand: 100] => for_each(|_: u64| ());
    }
    .into_parts();
    pipeline.start().unwrap()
}

async fn serve(watch: Watch, address: &str) -> (Address, JoinHandle<()>) {
    let server = Server::bind(&address.parse().unwrap()).await.unwrap().every(Duration::from_millis(5));
    (server.address().unwrap(), spawn(server.serve(watch)))
}

/// What comes over a connection until the other side closes it.
async fn all(mut client: Client) -> Vec<Snapshot> {
    let read = move || std::iter::from_fn(|| client.next_snapshot().unwrap()).collect();
    spawn_blocking(read).await.unwrap()
}

async fn connect(address: &Address) -> Result<Client> {
    let address = address.clone();
    spawn_blocking(move || Client::connect(&address)).await?
}

/// `genstage-top` with those arguments.
async fn program(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_genstage-top"));
    program.args(args).env_remove("RUST_BACKTRACE");
    spawn_blocking(move || program.output().unwrap()).await.unwrap()
}

async fn looked_at(address: &str) {
    let running = pipeline();
    let (address, serving) = serve(running.watch(), address).await;
    // One that never reads, and one that goes at once, are no harm to the others.
    let _idle = connect(&address).await.unwrap();
    drop(connect(&address).await.unwrap());
    let mut first = connect(&address).await.unwrap();
    let nodes: Vec<_> = first.graph().nodes.iter().map(|node| (&*node.name, node.replicas)).collect();
    assert_eq!(nodes, [("numbers", 1), ("twice", 2), ("for_each", 1)]);
    let second = connect(&address).await.unwrap();
    let first = spawn_blocking(move || {
        // Until events have been seen to pass.
        while first.next_snapshot().unwrap().unwrap().edges.iter().any(|edge| edge.handled == 0) {}
        first
    });
    let first = first.await.unwrap();
    let output = program(&[&address.to_string(), "--once"]).await;
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    assert!(shown.starts_with("genstage-top  running  3 nodes, 4 stages"), "{shown}");
    for row in ["numbers ", "└ twice ×2 ", "└ for_each ", "numbers => twice ", "twice => for_each "] {
        assert!(shown.contains(row), "{shown}");
    }

    running.drain().await.unwrap();
    serving.await.unwrap();
    let (first, second) = (all(first).await, all(second).await);
    let [last, same] = [first.last().unwrap(), second.last().unwrap()];
    assert!(last.has_ended() && same.has_ended());
    assert_eq!(last.stages, same.stages);
    assert_eq!(last.stages[3].events_in, last.stages[0].events_out);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tcp() {
    looked_at("127.0.0.1:0").await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("top");
    looked_at(&format!("unix:{}", path.display())).await;
    assert!(!path.exists(), "the socket is left");
    // Of a path it is certain that nobody else has taken it in the meantime.
    let address = Address::Unix(path);
    let error = connect(&address).await.err().unwrap().to_string();
    assert!(error.starts_with(&format!("nobody serves a pipeline at {address}")), "{error}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_serves_nobody() {
    let (running, folder) = (pipeline(), tempfile::tempdir().unwrap());
    let path = format!("unix:{}", folder.path().join("top").display());
    let (address, serving) = serve(running.watch(), &path).await;
    let client = connect(&address).await.unwrap();
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    assert!(!all(client).await.iter().any(Snapshot::has_ended));
    assert!(connect(&address).await.is_err());
    running.abort().await.unwrap();
}

/// A client that does not read: the program goes on, and the end of the pipeline is the end of the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_holds_nothing_up() {
    let running = pipeline();
    let watch = running.watch();
    let server = Server::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap().every(Duration::ZERO);
    let Address::Tcp(address) = server.address().unwrap() else { panic!("not over TCP") };
    let serving = spawn(server.serve(watch.clone()));
    let mut idle = TcpStream::connect(address).unwrap();
    let handled = || watch.snapshot().edges[1].handled;
    let before = handled();
    while handled() < before + 100_000 {
        tokio::task::yield_now().await;
    }
    running.drain().await.unwrap();
    serving.await.unwrap();
    // What was sent before is whole lines, except for the last.
    let mut sent = String::new();
    spawn_blocking(move || {
        // Nothing more comes, because the other side is gone.
        let _ = idle.read_to_string(&mut sent);
        assert!(
            sent.split_inclusive('\n').all(|line| !line.ends_with('\n') || Frame::from_line(line).is_ok())
        );
        assert!(sent.starts_with(r#"{"hello":"#), "{sent}");
    })
    .await
    .unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_a_socket_that_nobody_listens_at_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let bind = async |path: &std::path::Path| Server::bind(&Address::Unix(path.to_owned())).await;
    let refusal = |result: Result<Server>| result.err().unwrap().to_string();

    let file = folder.path().join("notes");
    std::fs::write(&file, "kept").unwrap();
    let refused = refusal(bind(&file).await);
    assert_eq!(
        refused,
        format!("{} is there and is no socket: remove it, or serve elsewhere", file.display())
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");

    let socket = folder.path().join("top");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists(), "nobody has removed it");
    let server = bind(&socket).await.unwrap();
    let refused = refusal(bind(&socket).await);
    assert_eq!(refused, format!("somebody serves at unix:{} already", socket.display()));
    std::fs::remove_file(&socket).unwrap();
    std::fs::write(&socket, "another's").unwrap();
    drop(server);
    assert!(socket.exists(), "that file is another's");

    let nowhere = refusal(bind(&folder.path().join("no/top")).await);
    assert!(nowhere.starts_with("cannot serve at unix:"), "{nowhere}");
}

#[tokio::test]
async fn what_is_no_server_is_said_to_be_none() {
    let error = async |args: &[&str]| {
        let output = program(args).await;
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = error(&["127.0.0.1:1"]).await;
    assert!(
        said.starts_with("Error: nobody serves a pipeline at 127.0.0.1:1: does the program run?"),
        "{said}"
    );
    let said = error(&["/nowhere/top", "--once"]).await;
    assert!(said.contains("nobody serves a pipeline at unix:/nowhere/top"), "{said}");
    let said = error(&["0.0.0.0:80"]).await;
    assert!(said.contains("0.0.0.0:80 is not of the loopback interface: use 127.0.0.1:80"), "{said}");

    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let other = std::thread::spawn(move || other.accept().unwrap().0.write_all(b"HTTP/1.1 400\r\n").unwrap());
    let said = error(&[&address, "--once"]).await;
    other.join().unwrap();
    assert!(said.contains(&format!("what is at {address} serves no pipeline: this is no frame")), "{said}");
}

/// Without a terminal there is an error, and not a screen in a file.
#[tokio::test(flavor = "multi_thread")]
async fn the_view_needs_a_terminal() {
    let running = pipeline();
    let (address, _serving) = serve(running.watch(), "127.0.0.1:0").await;
    let output = program(&[&address.to_string()]).await;
    assert!(!output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "Error: the live view needs a terminal: standard output is none\n");
    running.abort().await.unwrap();
}
