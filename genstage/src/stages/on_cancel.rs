use crate::{Context, Reason, Stage};

/// What a ready-made source does when its last consumer has gone. GenStage's option of that name.
///
/// In a pipeline it matters only where all edges state another `cancel` than `complete`: by that one the normal end of the last
/// consumer ends the source anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCancel {
    /// Waits for another. The default.
    #[default]
    Continue,
    /// Ends normally.
    Stop,
}

/// How many consumers a source has, and what it does when there is none any more.
#[derive(Debug, Default)]
pub(super) struct Consumers {
    pub(super) on_cancel: OnCancel,
    count: usize,
}

impl Consumers {
    pub(super) fn come(&mut self) {
        self.count += 1;
    }

    pub(super) fn gone<S: Stage>(&mut self, cx: &mut Context<S>) {
        self.count -= 1;
        if self.count == 0 && self.on_cancel == OnCancel::Stop {
            cx.stop(Reason::Normal);
        }
    }
}
