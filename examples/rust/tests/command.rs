//! The command as a user calls it.

use std::process::{Command, Output};

fn roman(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_roman"))
        .args(words)
        .output()
        .expect("the command starts")
}

#[test]
fn converts_both_ways() {
    let output = roman(&["1994", "xlii"]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "MCMXCIV\n42\n");
}

#[test]
fn tells_a_mistake() {
    let output = roman(&["IIII"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "roman: \"IIII\" is no Roman numeral\n"
    );
}

#[test]
fn tells_how_it_is_used() {
    assert_eq!(roman(&[]).status.code(), Some(2));
}
