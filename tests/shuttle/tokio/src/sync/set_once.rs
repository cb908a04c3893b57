use real::sync;
pub use real::sync::SetOnceError;

use crate::point;

pub struct SetOnce<T>(sync::SetOnce<T>);

impl<T> SetOnce<T> {
    pub fn new() -> Self {
        Self(sync::SetOnce::new())
    }

    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        point();
        let set = self.0.set(value);
        point();
        set
    }

    pub fn initialized(&self) -> bool {
        point();
        self.0.initialized()
    }

    pub fn get(&self) -> Option<&T> {
        point();
        self.0.get()
    }

    pub async fn wait(&self) -> &T {
        point();
        self.0.wait().await
    }
}

impl<T> Default for SetOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}
