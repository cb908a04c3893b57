//! A broker for one run: a NATS server on a free port, which stores what it has to in a folder that goes with it.
//!
//! A server does not end because the coordinator has. So a process of this program stands between them, and sees to it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use genstage::{Error, Result};
use tokio::io::{AsyncBufReadExt, BufReader, copy, sink, stdin};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::helper::Helper;

/// Names the server's program.
const VARIABLE: &str = "NATS_SERVER";

/// Between two looks whether the server has begun.
const LOOK: Duration = Duration::from_millis(10);

/// Starts a broker; it, and where it is to be reached.
pub(crate) async fn start() -> Result<(Helper, String)> {
    let mut broker = Helper::start(&["broker"])?;
    let mut said = String::new();
    if let Some(stdout) = broker.stdout() {
        BufReader::new(stdout).read_line(&mut said).await?;
    }
    match said.trim() {
        url if url.starts_with("nats://") => Ok((broker, url.to_owned())),
        "" => Err(Error::msg("the broker has ended at once")),
        error => Err(Error::msg(error.to_owned())),
    }
}

/// Runs a server until standard input is closed. One line on standard output says where it is, or why it is not.
pub(crate) async fn serve() -> Result {
    let home = tempfile::tempdir()?;
    let mut server = match begin(home.path()).await {
        Ok((server, url)) => {
            writeln!(io::stdout(), "{url}")?;
            server
        }
        Err(error) => return Ok(writeln!(io::stdout(), "{error:#}")?),
    };
    let (mut stdin, mut nowhere) = (stdin(), sink());
    tokio::select! {
        _ = copy(&mut stdin, &mut nowhere) => Ok(server.kill().await?),
        ended = server.wait() => Err(Error::msg(format!("the broker has ended: {}", ended?))),
    }
}

async fn begin(home: &Path) -> Result<(Child, String)> {
    let program = std::env::var_os(VARIABLE).unwrap_or_else(|| "nats-server".into());
    let mut server = spawn(&program, home).map_err(|error| {
        Error::msg(format!(
            "cannot start the broker {}: {error}; `apt-get install nats-server` installs one, {VARIABLE} may name another, \
             and --server one that runs",
            program.display()
        ))
    })?;
    loop {
        if let Some(url) = url(home) {
            return Ok((server, url));
        }
        if let Some(status) = server.try_wait()? {
            return Err(Error::msg(format!("the broker {} has ended: {status}", program.display())));
        }
        sleep(LOOK).await;
    }
}

fn spawn(program: &OsString, home: &Path) -> io::Result<Child> {
    let mut command = Command::new(program);
    // Where Debian has it, which is not on every user's path.
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
    command
        .args(["--addr", "127.0.0.1", "--port", "-1", "--jetstream", "--store_dir"])
        .arg(home.join("store"));
    command.arg("--ports_file_dir").arg(home).arg("--log").arg(home.join("log"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn()
}

/// Where the server is to be reached, once it has said so in a file.
fn url(home: &Path) -> Option<String> {
    let files = home.read_dir().ok()?.flatten().map(|entry| entry.path());
    let ports =
        files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    let said = std::fs::read_to_string(ports).ok()?;
    Some(said.split('"').find(|word| word.starts_with("nats://"))?.to_owned())
}
