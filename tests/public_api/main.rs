//! The public API of the published crates is what the files beside this one say, line by line: so that a change of it is seen in review.
//!
//! `UPDATE_PUBLIC_API=1 cargo test -p genstage-tests --test public_api` writes them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use public_api::Builder;

const CRATES: [&str; 4] = ["genstage", "genstage-macros", "genstage-nats", "genstage-top"];

/// What says nothing about an interface: traits that nobody relies on, and chapters, which are there for rustdoc only.
const LEFT_OUT: [&str; 5] = [
    " core::marker::Freeze for ",
    " core::marker::StructuralPartialEq for ",
    " core::marker::UnsafeUnpin for ",
    " core::panic::unwind_safe::",
    " genstage::guide",
];

/// Has rustdoc describe the crates as JSON; the folder. It is in a target folder of its own, because build scripts look at
/// `RUSTC_BOOTSTRAP`, and everything would be built again whenever it comes or goes.
fn describe() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public_api");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["doc", "--lib", "--no-deps", "--all-features", "--frozen", "--target-dir"]).arg(&target);
    cargo.args(CRATES.iter().flat_map(|name| ["-p", name])).current_dir(env!("CARGO_MANIFEST_DIR"));
    // JSON is not stable, and neither is an interface that follows the pinned compiler.
    cargo.env("RUSTC_BOOTSTRAP", "1").env_remove("CARGO_ENCODED_RUSTDOCFLAGS");
    cargo.env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow");
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("doc")
}

/// The items of a crate. What the prelude exports, too, is there once, at the place where it is defined.
fn items(docs: &Path, name: &str) -> Vec<String> {
    let json = docs.join(name.replace('-', "_")).with_extension("json");
    let api = Builder::from_rustdoc_json(&json).omit_blanket_impls(true).build().unwrap_or_else(|error| {
        panic!("{error}\n`public-api` in Cargo.toml has to be of the version that reads this compiler's JSON")
    });
    let items = api.items().map(ToString::to_string);
    let mut items: Vec<_> =
        items.filter(|item| !LEFT_OUT.iter().any(|left_out| item.contains(left_out))).collect();
    let mut seen = HashSet::new();
    items.reverse();
    items.retain(|item| seen.insert(item.clone()));
    items.reverse();
    items
}

/// What has come to a crate and gone from it since its file was written.
fn changes(docs: &Path, name: &str) -> String {
    let items = items(docs, name);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("public_api").join(name).with_extension("txt");
    if std::env::var_os("UPDATE_PUBLIC_API").is_some() {
        fs::write(&path, items.join("\n") + "\n").unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let committed: Vec<_> = committed.lines().collect();
    let gone = committed.iter().filter(|line| !items.iter().any(|item| item == *line));
    let come = items.iter().filter(|item| !committed.contains(&item.as_str()));
    gone.map(|line| format!("- {line}\n")).chain(come.map(|item| format!("+ {item}\n"))).collect()
}

#[test]
fn the_public_api_is_the_committed_one() {
    let docs = describe();
    let changes: String = CRATES.iter().map(|name| changes(&docs, name)).collect();
    assert!(
        changes.is_empty(),
        "the public API has changed:\n{changes}\
         If that is meant: UPDATE_PUBLIC_API=1 cargo test -p genstage-tests --test public_api && git diff tests/public_api"
    );
}
