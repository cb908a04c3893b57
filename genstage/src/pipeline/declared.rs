//! How what a user declares becomes a node, so that a mistake in it gives one message.
//!
//! The compiler takes the first `genstage_node` that fits: that of a stage that can run; that of a struct which `#[stage]`
//! has refused already, about which a pipeline has nothing to add; or the last one, whose condition says what is
//! wrong, and whose node the compiler knows nothing about, and so keeps silent about.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use super::check::Unknown;
use super::node::{Node, Wired, make};
use super::replicas::AnyNode;
use crate::role::{Checked, Nothing, Runnable};
use crate::snapshot::plain_type_name;
use crate::task::{Recipe, StageRef};

/// What stands right of a node's `=`.
pub struct Declared<S> {
    stage: S,
    recipe: Option<Recipe<S>>,
    otherwise: Unready<S>,
}

impl<S> Declared<S> {
    /// A stage that is made once.
    pub fn new(stage: S) -> Self {
        Self { stage, recipe: None, otherwise: Unready::new() }
    }

    /// A stage that can be begun anew.
    pub fn again(recipe: &Recipe<S>) -> Self {
        Self { stage: recipe.make(), recipe: Some(recipe.clone()), otherwise: Unready::new() }
    }
}

impl<S: Runnable> Declared<S> {
    /// The node.
    pub fn genstage_node(self, name: impl Into<Arc<str>>) -> Node<S> {
        make(name.into(), self.stage, self.recipe)
    }
}

impl<S> Deref for Declared<S> {
    type Target = Unready<S>;

    fn deref(&self) -> &Unready<S> {
        &self.otherwise
    }
}

/// A struct that cannot run, as `#[stage]` has said where it is declared.
pub struct Unready<S>(Refused<S>);

impl<S> Unready<S> {
    const fn new() -> Self {
        Self(Refused(PhantomData))
    }
}

impl<S: Checked> Unready<S> {
    /// Something to go on with until the compiler ends.
    pub fn genstage_node(&self, _: impl Into<Arc<str>>) -> Self {
        Self::new()
    }
}

impl<S: Checked> AnyNode for Unready<S> {
    type Stage = S;
    type Role = Unknown;
    type Take = Nothing;
    type Give = Nothing;
    type Front = S;
    type Back = S;

    fn ready(&mut self) -> Option<&mut Node<S>> {
        None
    }

    fn handle(&self) -> StageRef<S> {
        unreachable!("{}", self.0.why())
    }

    fn into_wired(self) -> Option<Wired> {
        None
    }
}

impl<S> Deref for Unready<S> {
    type Target = Refused<S>;

    fn deref(&self) -> &Refused<S> {
        &self.0
    }
}

/// Something that is no stage, or is none with its parameters.
pub struct Refused<S>(PhantomData<fn() -> S>);

impl<S> Refused<S> {
    /// Does not compile: if `S` could run, it would have its node.
    pub fn genstage_node<N>(&self, _: impl Into<Arc<str>>) -> N
    where
        S: Runnable,
    {
        unreachable!("{}", self.why())
    }

    fn why(&self) -> String {
        format!("`{}` does not compile as a stage", plain_type_name::<S>())
    }
}
