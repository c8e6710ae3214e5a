//! The command `roman`.

use std::process::ExitCode;

use roman::{read, write};

/// What the build stamped on the program.
const VERSION: &str = match option_env!("APP_VERSION") {
    Some(version) => version,
    None => "v0.0.0+unknown",
};

fn convert(value: &str) -> Result<String, roman::Error> {
    match value.parse() {
        Ok(number) => write(number),
        Err(_) => read(value).map(|number| number.to_string()),
    }
}

fn main() -> ExitCode {
    let values: Vec<String> = std::env::args().skip(1).collect();
    match values.as_slice() {
        [] => {
            eprintln!("usage: roman NUMBER|NUMERAL ...");
            return ExitCode::from(2);
        }
        [flag] if flag == "--version" => {
            println!("roman {VERSION}");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    for value in values {
        match convert(&value) {
            Ok(text) => println!("{text}"),
            Err(error) => {
                eprintln!("roman: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
