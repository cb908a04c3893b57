//! Where a pipeline is served.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Error, Result, bail};

/// Where a pipeline is served: `127.0.0.1:4000`, `[::1]:4000`, or a Unix socket: `unix:top.sock`, `/tmp/top.sock`.
///
/// What a pipeline does is nobody's business on other machines, so no other address is one.
///
/// ```
/// use genstage_top::Address;
///
/// let address: Address = "127.0.0.1:4000".parse()?;
/// assert!(matches!(address, Address::Tcp(_)));
/// assert!("192.0.2.1:4000".parse::<Address>().is_err());
/// # #[cfg(unix)]
/// assert_eq!("unix:top.sock".parse::<Address>()?.to_string(), "unix:top.sock");
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A port of this machine, over its loopback interface.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::unix(path);
        }
        if text.contains('/') {
            return Self::unix(text);
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::Tcp(address)),
            Ok(address) => bail!(
                "{address} is not of the loopback interface: use 127.0.0.1:{}, and an SSH tunnel from elsewhere",
                address.port(),
            ),
            Err(_) => {
                bail!("`{text}` is no address: use 127.0.0.1:PORT, or unix:PATH or a path with a `/` in it")
            }
        }
    }
}

impl Address {
    fn unix(path: &str) -> Result<Self> {
        match path {
            "" => bail!("`unix:` needs the path of a socket behind it"),
            _ if !cfg!(unix) => bail!("there are no Unix sockets here: use 127.0.0.1:PORT"),
            path => Ok(Self::Unix(path.into())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["127.0.0.1:4000", "[::1]:1", "127.8.8.8:0", "unix:top", "unix:/tmp/a b"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("./top".parse::<Address>().unwrap(), Address::Unix("./top".into()));
    }

    #[test]
    fn other_addresses_are_refused_with_what_to_use() {
        for (text, error) in [
            ("0.0.0.0:4000", "0.0.0.0:4000 is not of the loopback interface: use 127.0.0.1:4000"),
            ("[2001:db8::1]:7", "[2001:db8::1]:7 is not of the loopback interface"),
            ("example.org:80", "`example.org:80` is no address: use 127.0.0.1:PORT"),
            ("4000", "`4000` is no address"),
            ("unix:", "`unix:` needs the path"),
        ] {
            let refusal = text.parse::<Address>().unwrap_err().to_string();
            assert!(refusal.starts_with(error), "{refusal}");
        }
    }
}
