//! Roman numerals from 1 to 3999, as they are written today: `MCMXCIV`.

use std::fmt;

/// The numerals and what they stand for, from large to small.
const NUMERALS: [(u16, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// The largest number that has a numeral without a line above it.
pub const LARGEST: u16 = 3999;

/// Why a value cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The number is 0 or above [`LARGEST`].
    OutOfRange(u16),
    /// The text is no numeral, or not the usual one of its number (`IIII`).
    NotANumeral(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange(number) => write!(formatter, "{number} is not from 1 to {LARGEST}"),
            Self::NotANumeral(text) => write!(formatter, "{text:?} is no Roman numeral"),
        }
    }
}

impl std::error::Error for Error {}

/// Returns the numeral of a number.
///
/// # Errors
/// [`Error::OutOfRange`] for 0 and for numbers above [`LARGEST`].
///
/// # Examples
/// ```
/// assert_eq!(roman::write(1994).as_deref(), Ok("MCMXCIV"));
/// ```
pub fn write(number: u16) -> Result<String, Error> {
    if !(1..=LARGEST).contains(&number) {
        return Err(Error::OutOfRange(number));
    }
    let mut rest = number;
    let mut text = String::new();
    for (value, numeral) in NUMERALS {
        while rest >= value {
            text.push_str(numeral);
            rest -= value;
        }
    }
    Ok(text)
}

/// Returns the number of a numeral in upper or lower case.
///
/// # Errors
/// [`Error::NotANumeral`] for anything but the usual numeral of a number.
pub fn read(text: &str) -> Result<u16, Error> {
    let numeral = text.to_ascii_uppercase();
    let mut rest = numeral.as_str();
    let mut number: u16 = 0;
    for (value, part) in NUMERALS {
        while let Some(left) = rest.strip_prefix(part) {
            rest = left;
            number = number.saturating_add(value);
        }
    }
    // What is written back the same was the usual numeral.
    match write(number) {
        Ok(usual) if rest.is_empty() && usual == numeral => Ok(number),
        _ => Err(Error::NotANumeral(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        for (number, numeral) in [
            (1, "I"),
            (4, "IV"),
            (49, "XLIX"),
            (1994, "MCMXCIV"),
            (3999, "MMMCMXCIX"),
        ] {
            assert_eq!(write(number), Ok(numeral.to_owned()));
            assert_eq!(read(numeral), Ok(number));
        }
    }

    #[test]
    fn every_number_comes_back() {
        for number in 1..=LARGEST {
            assert_eq!(read(&write(number).unwrap()), Ok(number));
        }
    }

    #[test]
    fn out_of_range() {
        for number in [0, LARGEST + 1, u16::MAX] {
            assert_eq!(write(number), Err(Error::OutOfRange(number)));
        }
    }

    #[test]
    fn no_numerals() {
        for text in [
            "",
            "IIII",
            "VX",
            "IC",
            "MMMM",
            "ABC",
            "X1",
            &"M".repeat(100),
        ] {
            assert_eq!(read(text), Err(Error::NotANumeral(text.to_owned())));
        }
    }

    #[test]
    fn lower_case_is_read() {
        assert_eq!(read("mcmxciv"), Ok(1994));
    }
}
