//! Servers of the tests' own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Which server is tested: the program that this names, or `nats-server`.
const VARIABLE: &str = "NATS_SERVER";

/// For how long a server may take to begin.
const LONG: Duration = Duration::from_secs(30);

/// A server with JetStream on a port of its own, which ends with this.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    /// What it stores, and where it says which port it has.
    home: TempDir,
}

fn program() -> OsString {
    std::env::var_os(VARIABLE).unwrap_or_else(|| "nats-server".into())
}

fn spawn(home: &Path, port: &str) -> Child {
    let mut command = Command::new(program());
    // Where Debian has it, and users have no path to.
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
    command.args(["-a", "127.0.0.1", "-p", port, "-js", "-sd"]).arg(home.join("store"));
    command.arg("--ports_file_dir").arg(home).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| {
        panic!(
            "{:?}: {error}: install it with `apt-get install nats-server`, or say in {VARIABLE} where it is",
            program()
        )
    })
}

impl Server {
    pub(crate) fn start() -> Self {
        let home = TempDir::new().unwrap();
        let mut process = spawn(home.path(), "-1");
        let url = url(&mut process, home.path());
        Self { process, url, home }
    }

    /// Ends it at once, as a crash does, and begins it again where it was.
    pub(crate) fn crash_and_restart(&mut self) {
        self.end();
        let port = self.url.rsplit(':').next().unwrap().to_owned();
        self.process = spawn(self.home.path(), &port);
        assert_eq!(url(&mut self.process, self.home.path()), self.url);
    }

    fn end(&mut self) {
        // One that has ended of itself is no mistake here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits until the server says where it is to be reached.
fn url(process: &mut Child, home: &Path) -> String {
    let ports = ports_file(home, process.id());
    let begin = Instant::now();
    loop {
        let said = std::fs::read_to_string(&ports).unwrap_or_default();
        if let Some(url) = said.split('"').find(|word| word.starts_with("nats://")) {
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
