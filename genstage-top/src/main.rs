//! Shows a pipeline that another program serves.

#![forbid(unsafe_code)]

use std::io::{ErrorKind, Write as _, stdout};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use genstage_top::{Address, Leave, attach, print_once};

/// Shows a running genstage pipeline: rates, demand, buffers, and the bottleneck. `h` in the view says what the keys do.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where the program serves it: 127.0.0.1:PORT, or unix:PATH or a path with a `/`
    address: Address,
    /// Print what there is to see once, as plain text, and exit
    #[arg(long)]
    once: bool,
    /// How many columns the plain text has
    #[arg(long, default_value = "80", value_name = "COLUMNS", requires = "once")]
    width: u16,
}

fn main() -> ExitCode {
    match show(&Args::parse()) {
        Ok(Leave::Quit) => ExitCode::SUCCESS,
        // As a program that the signal ends.
        Ok(Leave::Interrupt) => ExitCode::from(130),
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn show(args: &Args) -> Result<Leave> {
    if !args.once {
        return attach(&args.address);
    }
    match stdout().write_all(print_once(&args.address, args.width)?.as_bytes()) {
        // Whoever reads has read enough: `| head`.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Leave::Quit),
    }
}
