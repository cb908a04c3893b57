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
    let sections = include_str!("../README.md").split("\n## [`").skip(1);
    let pictures: Vec<_> = sections
        .filter_map(|section| {
            let (example, rest) = section.split_once('`')?;
            // A package of its own, with a test of its own.
            if example == "two_machines" {
                return None;
            }
            let (picture, _) = rest.split_once("```mermaid\n")?.1.split_once("```")?;
            Some((example, picture))
        })
        .collect();
    assert!(!pictures.is_empty());
    for (example, picture) in pictures {
        let output = program::command(example).arg("--graph").output().unwrap();
        assert!(output.status.success(), "{example}");
        assert_eq!(comparable(picture), comparable(&String::from_utf8(output.stdout).unwrap()), "{example}");
    }
}
