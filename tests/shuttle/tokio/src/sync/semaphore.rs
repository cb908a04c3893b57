use std::sync::Arc;

use real::sync;
pub use real::sync::{AcquireError, TryAcquireError};

use crate::point;

pub struct Semaphore(Arc<sync::Semaphore>);

impl Semaphore {
    pub fn new(permits: usize) -> Self {
        Self(Arc::new(sync::Semaphore::new(permits)))
    }

    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        point();
        self.0.clone().acquire_owned().await.map(OwnedSemaphorePermit)
    }

    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        point();
        self.0.clone().try_acquire_owned().map(OwnedSemaphorePermit)
    }

    pub fn close(&self) {
        point();
        self.0.close();
        point();
    }
}

pub struct OwnedSemaphorePermit(
    #[expect(dead_code, reason = "comes free when it is dropped")] sync::OwnedSemaphorePermit,
);

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        point();
    }
}
