//! Why a text is no TOML, for people.

use toml_span::ErrorKind;

use super::problems::Text;
use super::wording::quoted;

/// What is wrong, and what to do where the parser's own words leave that open. It never shows more of the file than a
/// name or a character, as a value may be a secret.
pub(super) fn message(error: &toml_span::Error, text: &Text<'_>) -> String {
    match &error.kind {
        ErrorKind::UnquotedString => "a text, path or date needs quotes: key = \"value\"".to_owned(),
        ErrorKind::InvalidNumber => {
            "not a number; durations, account ids and dates need quotes: key = \"10s\"".to_owned()
        }
        ErrorKind::UnexpectedEof => "the file ends where a value was expected".to_owned(),
        ErrorKind::UnterminatedString => "the text that begins here has no closing quote".to_owned(),
        ErrorKind::InvalidCharInString('\n' | '\r') => "the line ends before the text's closing quote".to_owned(),
        ErrorKind::InvalidEscape(character) => {
            format!("\\{character} is no escape sequence; write \\\\ for a backslash, or use single quotes")
        }
        ErrorKind::DuplicateKey { key, first } => {
            let line = text.line_of(first.start);
            format!("the key {} was already given at line {line}", quoted(key))
        }
        ErrorKind::DuplicateTable { name, first } => {
            let line = text.line_of(first.start);
            let hint = match name.as_str() {
                "targets" | "receivers" | "routes" | "types" | "hooks" | "failures" => {
                    format!("; each entry begins with two brackets: [[{name}]]")
                }
                _ => String::new(),
            };
            format!("the table {} already began at line {line}{hint}", quoted(name))
        }
        ErrorKind::DottedKeyInvalidType { first } => {
            let line = text.line_of(first.start);
            format!("the key at line {line} holds a value that is no table")
        }
        ErrorKind::RedefineAsArray => "the table was already given with single brackets, or as a value".to_owned(),
        ErrorKind::Wanted { expected, found } => format!("expected {}, found {}", plain(expected), plain(found)),
        // The rest is either plain in the parser's words, or never made by it but by readers that are not used.
        _ => error.to_string(),
    }
}

/// The parser's name of a token, as it looks in the file.
fn plain(token: &'static str) -> &'static str {
    match token {
        "an identifier" => "a word",
        "an equals" => "=",
        "a period" => ".",
        "a comma" => ",",
        "a colon" => ":",
        "a plus" => "+",
        "a left brace" => "{",
        "a right brace" => "}",
        "a left bracket" => "[",
        "a right bracket" => "]",
        "a table key" => "a key",
        "newline" | "a newline" => "the end of the line",
        "eof" => "the end of the file",
        other => other,
    }
}
