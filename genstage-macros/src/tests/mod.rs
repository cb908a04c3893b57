//! What the macros write, and that they write something whatever they are given.

mod broken;
mod expanded;
mod expansions;
