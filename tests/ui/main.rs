//! What compiles, what does not, and with which message.
//!
//! `<macro>/pass/*.rs` compile and run; `<macro>/fail/*.rs` are refused with the message in the `.stderr` file beside them.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    for macro_name in ["stage", "pipeline"] {
        cases.pass(format!("ui/{macro_name}/pass/*.rs"));
        cases.compile_fail(format!("ui/{macro_name}/fail/*.rs"));
    }
}
