//! Stages that come to an end of themselves.

use genstage::{Context, Error, Reason, Result, Stage};

/// How a stage comes to an end of itself, and after how many calls of its handler.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doom(pub(crate) Option<(usize, Fate)>);

#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Fail,
    Panic,
    Stop(Reason),
    Finish,
}

impl Doom {
    /// The fate that meets this call.
    pub(crate) fn now(&mut self) -> Option<Fate> {
        let (calls, fate) = self.0.as_mut()?;
        let now = *calls == 0;
        *calls = calls.wrapping_sub(1);
        now.then(|| fate.clone())
    }
}

impl Fate {
    pub(crate) fn strike<S: Stage>(self, cx: &mut Context<S>) -> Result {
        match self {
            Self::Fail => Err(Error::msg("doomed")),
            Self::Panic => panic!("doomed"),
            Self::Stop(reason) => {
                cx.stop(reason);
                Ok(())
            }
            Self::Finish => {
                cx.finish();
                Ok(())
            }
        }
    }
}
