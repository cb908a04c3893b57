use async_nats::{Client, ConnectOptions, ToServerAddrs, jetstream};
use genstage::{Error, Result};

use crate::Exchange;
use crate::exchange::Shared;
use crate::hub::is_missing;

/// A connection to one server or a cluster of them. Copies share it; it reconnects by itself.
#[derive(Clone, Debug)]
pub struct Nats {
    pub(crate) client: Client,
}

impl Nats {
    /// Connects to the first of the servers that answers; the others, and those that they know of, are for when it goes.
    ///
    /// Several are separated by commas: `"nats://a:4222,nats://b:4222"`.
    ///
    /// # Errors
    ///
    /// If an address makes no sense, or none of the servers answers. Cancellation safe.
    pub async fn connect(servers: &str) -> Result<Self> {
        Self::connect_with(servers, ConnectOptions::new()).await
    }

    /// As [`connect`](Self::connect), with what else there is to say: credentials, certificates, names.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with(servers: &str, options: ConnectOptions) -> Result<Self> {
        let servers: Vec<&str> = servers.split(',').map(str::trim).collect();
        let servers = servers.to_server_addrs()?.collect::<Vec<_>>();
        // What is pulled is bounded by demand; the client's own bound would drop what is beyond it.
        let options = options.subscription_capacity(usize::MAX >> 4);
        // Without what may be secret in an address.
        let names: Vec<_> =
            servers.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
        let client = options.connect(servers).await;
        // Its text has its cause in it.
        let client =
            client.map_err(|error| Error::msg(format!("connecting to {}: {error}", names.join(", "))))?;
        Ok(Self { client })
    }

    /// The exchange of that name: letters, digits, `-` and `_`. It is shared out among its consumers by demand, unless it is made another kind.
    pub fn exchange(&self, name: &str) -> Exchange<Shared> {
        Exchange::new(self.client.clone(), name)
    }

    /// Whether there is an exchange of that name; opening it would make one.
    ///
    /// # Errors
    ///
    /// If the server does not answer. Cancellation safe.
    pub async fn has_exchange(&self, name: &str) -> Result<bool> {
        match jetstream::new(self.client.clone()).get_stream(name).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
