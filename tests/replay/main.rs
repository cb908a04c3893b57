//! `cargo run -p genstage-tests --bin replay -- FILE…`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use genstage_tests::replay::{self, Failure, Mismatch};

/// Plays recordings of GenStage against genstage.
///
/// Prints every line that comes out otherwise than recorded, with the first step that differs, and last
/// `N passed, N failed`. The exit status is 0 if all passed, 1 if any failed, 2 if a file cannot be played.
#[derive(Parser)]
struct Args {
    /// Files whose names begin with `split`, `buffer`, `dispatch` or `scenarios`
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for path in Args::parse().files {
        let report = match replay::file(&path) {
            Ok(report) => report,
            Err(error) => {
                eprintln!("{error:#}");
                return ExitCode::from(2);
            }
        };
        passed += report.passed;
        failed += report.failures.len();
        for Failure { line, mismatch: Mismatch { step, expected, got } } in report.failures {
            println!("{}:{line}: step {step}\n  expected {expected}\n  got      {got}", path.display());
        }
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}
