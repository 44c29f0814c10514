//! What a document holds, cut out of what is said about it.
//!
//! A desired state or a patch may hold secrets, and the service quotes them: the whole document, or one property's value. The
//! text is gone through as it came: once line breaks are blanks and the end is cut off, what is left of a secret no longer
//! looks like it.
//!
//! Values of fewer than four characters are left: they are in every text. The words of a patch that say what is done where
//! (`op`, `path`, `from`) are no values.

use std::fmt::Write;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// What stands in place of what was cut out.
const HIDDEN: &str = "(hidden)";

/// Characters that a value must have to be looked for.
const SHORTEST: usize = 4;

/// So many characters of a message are worth reading.
const ENOUGH: usize = 2_000;

/// Cuts the document, and each value in it, out of a text, by any of the spellings that JSON has for them.
pub(super) fn redact(text: &str, document: &SecretString) -> String {
    let document = document.expose_secret();
    let value = serde_json::from_str(document).unwrap_or_else(|_| Value::String(document.to_owned()));
    let mut wholes = spellings(document);
    wholes.extend(spellings(document.trim()));
    wholes.extend(spellings(&value.to_string()));
    // "{}" says nothing.
    wholes.retain(|whole| whole.len() > 2);
    wholes.sort_unstable_by_key(|whole| std::cmp::Reverse(whole.len()));
    let mut text = text.to_owned();
    for whole in &wholes {
        if text.contains(whole.as_str()) {
            text = text.replace(whole.as_str(), HIDDEN);
        }
    }
    let mut values = Vec::new();
    match &value {
        Value::Array(operations) => {
            for value in operations.iter().filter_map(|operation| operation.get("value")) {
                collect(value, &mut values);
            }
        }
        other => collect(other, &mut values),
    }
    hide(&text, &values)
}

/// As it is, within a JSON string, and the same with all that is not ASCII escaped.
fn spellings(text: &str) -> Vec<String> {
    let quoted = Value::from(text).to_string();
    let escaped = quoted[1..quoted.len() - 1].to_owned();
    let ascii = escaped.chars().fold(String::new(), |mut ascii, c| {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Nothing refuses to be written to a String.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
        ascii
    });
    let mut spellings = vec![text.to_owned(), escaped, ascii];
    spellings.dedup();
    spellings
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.chars().count() >= SHORTEST => {
            into.extend(spellings(text));
            if !text.is_ascii() {
                // A service that has no such characters writes others in their place, no one knows which.
                let plain = text.split(|c: char| !c.is_ascii()).map(str::trim);
                into.extend(plain.filter(|part| part.len() >= SHORTEST).flat_map(spellings));
            }
        }
        Value::Number(number) if number.to_string().len() >= SHORTEST => into.push(number.to_string()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        Value::Object(values) => values.values().for_each(|value| collect(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Hides all that a value covers; where two overlap, both.
fn hide(text: &str, values: &[String]) -> String {
    let (mut shown, mut characters, mut hidden_until) = (String::new(), 0, 0);
    for (at, character) in text.char_indices() {
        let here = values.iter().filter(|value| text[at..].starts_with(value.as_str()));
        if let Some(length) = here.map(String::len).max() {
            if at >= hidden_until {
                shown.push_str(HIDDEN);
            }
            hidden_until = hidden_until.max(at + length);
        }
        if at >= hidden_until {
            shown.push(character);
            characters += 1;
        }
        if characters > ENOUGH {
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str, document: &str) -> String {
        redact(text, &document.into())
    }

    #[test]
    fn a_document_is_hidden_however_it_is_spelt() {
        let document = "{\n  \"Password\": \"hunter2\",\n  \"Note\": \"größe\"\n}";
        let compact = r#"{"Note":"größe","Password":"hunter2"}"#;
        let escaped = r#"{\n  \"Password\": \"hunter2\",\n  \"Note\": \"größe\"\n}"#;
        let ascii = r#"{\n  \"Password\": \"hunter2\",\n  \"Note\": \"gr\u00f6\u00dfe\"\n}"#;
        for quoted in [document, escaped, ascii] {
            assert_eq!(
                redacted(&format!("Value '{quoted}' is bad"), document),
                "Value '(hidden)' is bad"
            );
        }
        let told = redacted(&format!("Value '{compact}' is bad"), document);
        assert!(!told.contains("hunter2") && !told.contains("größe"), "{told}");
    }

    #[test]
    fn one_value_is_hidden_and_what_overlaps_as_well() {
        let document = r#"{"A": {"B": ["correct \"horse\"", 123456, "abcd", "cdef-tail", "to", true]}}"#;
        assert_eq!(
            redacted("got correct \"horse\", to be", document),
            "got (hidden), to be"
        );
        assert_eq!(redacted(r#"got "correct \"horse\"""#, document), r#"got "(hidden)""#);
        assert_eq!(
            redacted("is abcdef-tail or 123456", document),
            "is (hidden) or (hidden)"
        );
        assert_eq!(redacted("nothing of it", "{}"), "nothing of it");
    }

    #[test]
    fn what_a_service_has_no_characters_for_hides_none_of_the_rest() {
        let document = r#"{"Key": "hunter2 é swordfish ß ab"}"#;
        for spelt in [
            "hunter2 ? swordfish ? ab",
            "hunter2 Ã© swordfish ÃŸ ab",
            "hunter2 é swordfish ß ab",
        ] {
            let told = redacted(&format!("value {spelt} is bad"), document);
            assert!(!told.contains("hunter2") && !told.contains("swordfish"), "{told}");
            assert!(told.starts_with("value ") && told.ends_with(" is bad"), "{told}");
        }
    }

    #[test]
    fn the_words_of_a_patch_stay() {
        let patch = r#"[{"op": "replace", "path": "/Password", "value": "hunter2"}]"#;
        let told = redacted("can't replace /Password with hunter2", patch);
        assert_eq!(told, "can't replace /Password with (hidden)");
    }

    #[test]
    fn a_value_that_is_longer_than_a_message_is_hidden_to_its_end() {
        let secret = "hunter2-".repeat(1_000);
        let document = format!("{{\"Key\": \"{secret}\"}}");
        assert_eq!(redacted(&format!("'{secret}' is bad"), &document), "'(hidden)' is bad");
    }
}
