//! Sockets that clients connect to.

use std::pin::Pin;

use anyhow::{Context as _, Result};
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;

use crate::Address;

/// What frames are written to.
pub(crate) type Connection = Pin<Box<dyn AsyncWrite + Send>>;

/// A socket that clients connect to; of a Unix socket, the file too, which is removed when this is dropped.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(unix::Socket),
}

impl Listener {
    pub(crate) async fn bind(address: &Address) -> Result<Self> {
        match address {
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address).await;
                Ok(Self::Tcp(listener.with_context(|| format!("cannot serve at {address}"))?))
            }
            #[cfg(unix)]
            Address::Unix(path) => Ok(Self::Unix(unix::Socket::bind(path).await?)),
            #[cfg(not(unix))]
            Address::Unix(_) => anyhow::bail!("there are no Unix sockets here: use 127.0.0.1:PORT"),
        }
    }

    /// Where it is: the port that was found, if any was fine.
    pub(crate) fn address(&self) -> Result<Address> {
        match self {
            Self::Tcp(listener) => Ok(Address::Tcp(listener.local_addr()?)),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(Address::Unix(socket.path.clone())),
        }
    }

    /// The next client. Cancellation safe.
    pub(crate) async fn accept(&self) -> Result<Connection> {
        match self {
            Self::Tcp(listener) => Ok(Box::pin(listener.accept().await?.0)),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(Box::pin(socket.listener.accept().await?.0)),
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Metadata};
    use std::io::ErrorKind;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    use std::path::{Path, PathBuf};

    use anyhow::{Context as _, Result, bail, ensure};
    use tokio::net::{UnixListener, UnixStream};

    pub(crate) struct Socket {
        pub(crate) listener: UnixListener,
        pub(crate) path: PathBuf,
        /// What tells the file from one that another has put in its place.
        file: Option<(u64, u64)>,
    }

    impl Socket {
        pub(crate) async fn bind(path: &Path) -> Result<Self> {
            remove_stale(path).await?;
            let listener = UnixListener::bind(path);
            let listener = listener.with_context(|| format!("cannot serve at unix:{}", path.display()))?;
            Ok(Self { listener, path: path.to_owned(), file: identity(path) })
        }
    }

    impl Drop for Socket {
        fn drop(&mut self) {
            if self.file.is_some() && identity(&self.path) == self.file {
                // One that cannot be removed is found stale by whoever serves there next.
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    fn identity(path: &Path) -> Option<(u64, u64)> {
        fs::symlink_metadata(path).ok().map(|file: Metadata| (file.dev(), file.ino()))
    }

    /// Removes a socket that nobody listens at, and nothing else.
    async fn remove_stale(path: &Path) -> Result<()> {
        let file = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file.with_context(|| format!("cannot serve at unix:{}", path.display()))?,
        };
        let shown = path.display();
        ensure!(
            file.file_type().is_socket(),
            "{shown} is there and is no socket: remove it, or serve elsewhere"
        );
        match UnixStream::connect(path).await {
            Ok(_) => bail!("somebody serves at unix:{shown} already"),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                fs::remove_file(path).with_context(|| format!("cannot remove the old socket {shown}"))
            }
            Err(error) => {
                Err(error).with_context(|| format!("cannot tell whether somebody serves at {shown}"))
            }
        }
    }
}
