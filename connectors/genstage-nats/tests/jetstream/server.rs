//! Servers of the tests' own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Which server is tested: the program that this names, or `nats-server`.
const VARIABLE: &str = "NATS_SERVER";

/// For how long a server may take to begin.
const LONG: Duration = Duration::from_secs(30);

/// A server on a port of its own, which ends with this.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    /// What is special about it.
    options: Vec<String>,
    /// What it stores, and where it says which ports it has.
    home: TempDir,
}

/// Three servers with JetStream that are one.
pub(crate) struct Cluster {
    pub(crate) servers: Vec<Server>,
    /// By which they find each other: it has no JetStream, and stays.
    _seed: Server,
}

fn program() -> OsString {
    std::env::var_os(VARIABLE).unwrap_or_else(|| "nats-server".into())
}

fn spawn(home: &Path, port: &str, options: &[String]) -> Child {
    let mut command = Command::new(program());
    // Where Debian has it, and users have no path to.
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
    command.args(["-a", "127.0.0.1", "-p", port, "-sd"]).arg(home.join("store")).args(options);
    command.arg("--ports_file_dir").arg(home).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| {
        panic!(
            "{:?}: {error}: install it with `apt-get install nats-server`, or say in {VARIABLE} where it is",
            program()
        )
    })
}

impl Server {
    /// One with JetStream.
    pub(crate) fn start() -> Self {
        Self::with(["-js"])
    }

    pub(crate) fn with<'a>(options: impl IntoIterator<Item = &'a str>) -> Self {
        let options: Vec<String> = options.into_iter().map(str::to_owned).collect();
        let home = TempDir::new().unwrap();
        let mut process = spawn(home.path(), "-1", &options);
        let url = url(&mut process, home.path(), "nats");
        Self { process, url, options, home }
    }

    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.options.iter().any(|option| option == name)
    }

    /// Ends it at once, as a crash does, and begins it again where it was.
    pub(crate) fn crash_and_restart(&mut self) {
        self.crash();
        self.restart();
    }

    pub(crate) fn crash(&mut self) {
        // One that has ended of itself is no mistake here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    pub(crate) fn restart(&mut self) {
        let port = self.url.rsplit(':').next().unwrap().to_owned();
        self.process = spawn(self.home.path(), &port, &self.options);
        assert_eq!(url(&mut self.process, self.home.path(), "nats"), self.url);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let member = ["--cluster_name", "trio", "--cluster", "nats://127.0.0.1:-1"];
        let mut seed = Server::with(member);
        let routes = url(&mut seed.process, seed.home.path(), "cluster");
        let servers = ["one", "two", "three"]
            .map(|name| Server::with(member.into_iter().chain(["-js", "--name", name, "--routes", &routes])));
        Self { servers: servers.into(), _seed: seed }
    }

    /// The server of that name.
    pub(crate) fn server(&mut self, name: &str) -> &mut Server {
        self.servers.iter_mut().find(|server| server.is_called(name)).unwrap()
    }
}

/// Waits until the server says where it is to be reached, by clients or by others of its cluster.
fn url(process: &mut Child, home: &Path, whom: &str) -> String {
    let ports = ports_file(home, process.id());
    let begin = Instant::now();
    loop {
        let said = std::fs::read(&ports).unwrap_or_default();
        let said: Value = serde_json::from_slice(&said).unwrap_or_default();
        if let Some(url) = said[whom][0].as_str() {
            return url.to_owned();
        }
        assert!(process.try_wait().unwrap().is_none(), "the server has ended");
        assert!(begin.elapsed() < LONG, "the server has not begun");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ports_file(home: &Path, process: u32) -> PathBuf {
    let name = Path::new(&program()).file_name().map(|name| name.to_string_lossy().into_owned());
    home.join(format!("{}_{process}.ports", name.unwrap_or_default()))
}
