//! What genstage uses of tokio-util, with points; see `genstage-models-tokio`.

pub mod sync {
    //! tokio-util's primitives.

    pub use real::sync::PollSender;
    use tokio::point;

    /// tokio-util's.
    #[derive(Clone, Debug, Default)]
    pub struct CancellationToken(real::sync::CancellationToken);

    impl CancellationToken {
        pub fn new() -> Self {
            Self::default()
        }

        pub fn cancel(&self) {
            point();
            self.0.cancel();
            point();
        }

        pub fn is_cancelled(&self) -> bool {
            point();
            self.0.is_cancelled()
        }

        pub async fn cancelled(&self) {
            point();
            self.0.cancelled().await;
        }
    }
}
