use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::Reason;

/// What the stages of a running pipeline share: the signal to stop, and who failed first.
#[derive(Debug, Default)]
pub(crate) struct Control {
    pub(crate) stop: CancellationToken,
    pub(crate) failure: OnceLock<(Arc<str>, Reason)>,
}

impl Control {
    /// A stage has ended. If it has failed, the others stop; the first failure is the pipeline's.
    pub(crate) fn ended(&self, stage: &Arc<str>, reason: &Reason) {
        if reason.is_failure() {
            // A later failure is in its stage's summary.
            let _ = self.failure.set((stage.clone(), reason.clone()));
            self.stop.cancel();
        }
    }
}
