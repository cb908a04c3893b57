#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod client;
mod listener;
pub mod model;
mod serve;
mod terminal;
pub mod view;
pub mod wire;

mod app;

pub use address::Address;
pub use app::{Leave, attach, run};
pub use client::{Client, print_once};
pub use serve::{Server, serve};
