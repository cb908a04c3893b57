use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::StageRef;
use crate::role::Runnable;
use crate::task::WeakAddress;

/// Names for stages, so that they can find one another without handles.
///
/// A registry is a value: clone it into whatever is to look names up. A name is taken for stages of any type; looking it up
/// names the type, and finds only a stage of that one. It does not keep its stage reachable, and is free again when the
/// stage has ended or cannot be reached any more.
///
/// ```
/// use genstage::prelude::*;
/// use genstage::{FromIter, Registry, StageRef};
///
/// type Numbers = FromIter<std::ops::Range<u32>>;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let registry = Registry::new();
/// let numbers: StageRef<Numbers> = from_iter(0..10).spawn();
/// registry.register("numbers", &numbers)?;
/// assert!(registry.find::<Numbers>("numbers").is_some());
/// assert!(registry.find::<Numbers>("letters").is_none());
/// assert!(registry.register("numbers", &numbers).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    names: Arc<Mutex<Names>>,
}

type Names = HashMap<Arc<str>, Box<dyn Entry>>;

/// The name belongs to a stage that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name `{0}` is taken")]
pub struct NameTaken(pub Arc<str>);

/// A stage of some type.
trait Entry: Send + Sync {
    fn is_there(&self) -> bool;
    fn stage(&self, wanted: TypeId) -> Option<Box<dyn Any>>;
}

impl<S: Runnable> Entry for WeakAddress<S> {
    fn is_there(&self) -> bool {
        self.upgrade().is_some_and(|address| !StageRef::new(address).has_ended())
    }

    fn stage(&self, wanted: TypeId) -> Option<Box<dyn Any>> {
        let stage = (wanted == TypeId::of::<S>()).then(|| self.upgrade()).flatten();
        stage.map(|address| Box::new(StageRef::new(address)) as Box<dyn Any>)
    }
}

impl std::fmt::Debug for dyn Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_there() { "a stage" } else { "a stage that has ended" })
    }
}

impl Registry {
    /// Without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a stage a name. A stage may have several.
    ///
    /// # Errors
    ///
    /// If another stage has the name and has not ended.
    pub fn register<S: Runnable>(
        &self,
        name: impl Into<Arc<str>>,
        stage: &StageRef<S>,
    ) -> Result<(), NameTaken> {
        let (name, mut names) = (name.into(), self.names());
        if names.get(&name).is_some_and(|entry| entry.is_there()) {
            return Err(NameTaken(name));
        }
        names.insert(name, Box::new(stage.downgrade()));
        Ok(())
    }

    /// The stage of that name, if there is one of that type that has not ended.
    #[must_use]
    pub fn find<S: Runnable>(&self, name: &str) -> Option<StageRef<S>> {
        let stage = self.names().get(name)?.stage(TypeId::of::<S>())?;
        let stage: Box<StageRef<S>> = stage.downcast().ok()?;
        (!stage.has_ended()).then_some(*stage)
    }

    /// Takes a name away; whether it was anyone's.
    pub fn remove(&self, name: &str) -> bool {
        self.names().remove(name).is_some_and(|entry| entry.is_there())
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock()
    }
}
