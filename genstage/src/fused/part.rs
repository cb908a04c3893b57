use std::sync::Arc;

use crate::role::Stage;
use crate::{Context, Error, Result};

/// A stage that is part of another.
pub(super) struct Part<S: Stage> {
    pub(super) state: S,
    /// None before the first callback: then it is known where the part is.
    cx: Option<Context<S>>,
}

impl<S: Stage> Part<S> {
    pub(super) fn new(state: S) -> Self {
        Self { state, cx: None }
    }

    pub(super) fn begin(&mut self, cx: Context<S>) {
        self.cx = Some(cx);
    }

    pub(super) fn here(&mut self) -> Result<(&mut S, &mut Context<S>)> {
        let cx = self.cx.as_mut().ok_or_else(|| Error::msg("the stage has not begun"))?;
        Ok((&mut self.state, cx))
    }

    pub(super) fn cx(&self) -> Option<&Context<S>> {
        self.cx.as_ref()
    }

    pub(super) fn cx_mut(&mut self) -> Option<&mut Context<S>> {
        self.cx.as_mut()
    }

    pub(super) fn name(&self) -> Option<Arc<str>> {
        self.cx().map(|cx| cx.name.clone())
    }
}
