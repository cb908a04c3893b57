//! The pictures in the examples' README are those that the examples print.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod program;

/// Without how many replicas there are, which may depend on the machine.
fn comparable(picture: &str) -> String {
    let mut parts = picture.split("× ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "× " + part.trim_start_matches(|letter: char| letter.is_ascii_digit())
    })
}

#[test]
fn the_readme_shows_what_each_example_prints() {
    let readme = include_str!("../README.md");
    let pictures: Vec<_> =
        readme.split("```mermaid\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let printed = ["numbers", "consumer_supervisor", "word_count"].map(|example| {
        let output = program::command(example).arg("--graph").output().unwrap();
        assert!(output.status.success(), "{example}");
        String::from_utf8(output.stdout).unwrap()
    });
    let [pictures, printed] = [pictures, printed.iter().map(String::as_str).collect()]
        .map(|all: Vec<&str>| all.into_iter().map(comparable).collect::<Vec<_>>());
    assert_eq!(pictures, printed);
}
