use real::sync;

use crate::point;

#[derive(Default)]
pub struct Notify(sync::Notify);

impl Notify {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn notify_one(&self) {
        point();
        self.0.notify_one();
        point();
    }

    pub async fn notified(&self) {
        point();
        self.0.notified().await;
    }
}
