use genstage::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How events become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// JSON: a message is an array of events.
    Json,
}

impl Codec {
    /// One message of some events.
    pub(crate) fn encode<T: Serialize>(self, events: &[&T]) -> Result<Vec<u8>> {
        match self {
            Self::Json => Ok(serde_json::to_vec(events)?),
        }
    }

    pub(crate) fn decode<T: DeserializeOwned>(self, payload: &[u8]) -> Result<Vec<T>> {
        match self {
            Self::Json => Ok(serde_json::from_slice(payload)?),
        }
    }
}
