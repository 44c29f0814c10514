//! A desired state or a patch: from text, a file or standard input, and JSON before anything is called.
//!
//! A document may hold secrets: what is wrong with one is said by line and column, never by what stands there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use secrecy::SecretString;
use serde_json::Value;

use crate::cli::Failure;

/// Characters of a DesiredState or a PatchDocument at the most.
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CreateResource.html>
const LONGEST: usize = 262_144;

/// UTF-8 takes so many bytes for a character at the most.
const MOST_BYTES: u64 = 4 * LONGEST as u64;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The operations of RFC 6902.
const OPERATIONS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

/// Reads a desired state: a JSON object.
pub(super) fn desired_state(argument: &str) -> Result<SecretString, Failure> {
    let (source, text) = read(argument, "--desired-state")?;
    check(&text)
        .and_then(|value| {
            let is_object = value.is_object();
            is_object
                .then_some(())
                .ok_or_else(|| "expected a JSON object".to_owned())
        })
        .map_err(|fault| Failure::Arguments(format!("{source}: {fault}{}", or_file(argument))))?;
    Ok(text.into())
}

/// Reads a patch document: a JSON array of the operations of RFC 6902.
pub(super) fn patch_document(argument: &str) -> Result<SecretString, Failure> {
    let (source, text) = read(argument, "--patch-document")?;
    check(&text)
        .and_then(|value| check_patch(&value))
        .map_err(|fault| Failure::Arguments(format!("{source}: {fault}{}", or_file(argument))))?;
    Ok(text.into())
}

/// To go after what is wrong with a document that is more likely the name of a file: what was given is repeated only then, as
/// it may hold a secret.
fn or_file(argument: &str) -> String {
    let is_one = argument != "-" && Path::new(argument).is_file();
    let is_json = Path::new(argument).extension().is_some_and(|ending| ending == "json");
    let names_one = is_json && !argument.contains(|c: char| c.is_whitespace() || "@{}[]\"".contains(c));
    if is_one || names_one {
        format!("; did you mean @{}?", crate::model::printable(argument))
    } else {
        String::new()
    }
}

/// Returns the document with where it came from.
fn read(argument: &str, option: &str) -> Result<(String, String), Failure> {
    let path = argument.strip_prefix('@').or_else(|| argument.strip_prefix("file://"));
    match path {
        _ if argument == "-" => from("standard input".to_owned(), io::stdin().lock()),
        Some("-") => from("standard input".to_owned(), io::stdin().lock()),
        Some(path) => {
            let name = crate::model::printable(path).into_owned();
            let file = File::open(Path::new(path)).map_err(|error| unreadable(&name, &error))?;
            from(name, file)
        }
        None => Ok((option.to_owned(), argument.to_owned())),
    }
}

fn from(source: String, input: impl Read) -> Result<(String, String), Failure> {
    let mut bytes = Vec::new();
    // One more than allowed, so that what is too long is known to be.
    let read = input.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&source, &error))?;
    // Some editors put a byte order mark in front, which is no part of the text.
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((source, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            Err(Failure::Arguments(format!(
                "{source}: not UTF-8 text, from byte {at} on"
            )))
        }
    }
}

fn unreadable(source: &str, error: &io::Error) -> Failure {
    Failure::of_named(&format!("can't read {source}"), error)
}

fn check(text: &str) -> Result<Value, String> {
    if text.chars().count() > LONGEST {
        return Err(format!("longer than the {LONGEST} characters that Cloud Control takes"));
    }
    if text.trim().is_empty() {
        return Err("empty; expected JSON".to_owned());
    }
    // serde_json's syntax errors name what was expected and where, and nothing of the text.
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

/// RFC 6902: an array of objects, each with an `op` and a `path`. What a path leads to only the service knows.
fn check_patch(patch: &Value) -> Result<(), String> {
    let operations = patch
        .as_array()
        .ok_or("expected a JSON array of operations, as RFC 6902 has it")?;
    for (number, operation) in operations.iter().enumerate() {
        let place = format!("operation {} of the patch", number + 1);
        let text = |key| operation.get(key).and_then(Value::as_str);
        if !text("op").is_some_and(|op| OPERATIONS.contains(&op)) {
            return Err(format!(
                "{place}: expected \"op\" to be one of {}",
                OPERATIONS.join(", ")
            ));
        }
        let is_pointer = |path: &str| path.is_empty() || path.starts_with('/');
        if !text("path").is_some_and(is_pointer) {
            return Err(format!("{place}: expected a \"path\" that begins with /"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn refused(outcome: Result<SecretString, Failure>) -> String {
        let failure = outcome.map(|_| ()).unwrap_err();
        let told = failure.to_string();
        assert!(!told.contains("hunter2"), "{told}");
        assert!(matches!(failure, Failure::Arguments(_)), "{told}");
        told
    }

    #[test]
    fn what_is_no_json_is_said_with_line_and_column_and_without_a_word_of_it() {
        let told = refused(desired_state("{\n  \"Password\": hunter2\n}"));
        assert!(
            told.contains("--desired-state: not JSON") && told.contains("at line 2 column"),
            "{told}"
        );
        assert!(refused(desired_state("\"hunter2\"")).contains("expected a JSON object"));
        assert!(refused(desired_state("  ")).contains("empty"));
        let deep = "[".repeat(100_000);
        assert!(refused(desired_state(&deep)).contains("recursion limit"));
        let long = format!("{{\"a\": \"{}\"}}", "é".repeat(LONGEST));
        assert!(refused(desired_state(&long)).contains("262144 characters"));
    }

    #[test]
    fn a_patch_is_what_rfc_6902_says() {
        let right = r#"[{"op": "replace", "path": "/A", "value": 1}, {"op": "remove", "path": "/B"}]"#;
        assert_eq!(patch_document(right).unwrap().expose_secret(), right);
        assert!(refused(patch_document("{\"op\": \"hunter2\"}")).contains("array of operations"));
        let told = refused(patch_document(
            r#"[{"op": "test", "path": ""}, {"op": "hunter2", "path": "/"}]"#,
        ));
        assert!(told.contains("operation 2") && told.contains("add, remove"), "{told}");
        assert!(refused(patch_document(r#"[{"op": "add", "path": "hunter2"}]"#)).contains("begins with /"));
        assert!(refused(patch_document("[1]")).contains("operation 1"));
    }

    #[test]
    fn a_file_is_read_by_either_spelling_and_one_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        std::fs::write(&path, "{\"A\": 1}\n").unwrap();
        for prefix in ["@", "file://"] {
            let argument = format!("{prefix}{}", path.display());
            assert_eq!(desired_state(&argument).unwrap().expose_secret(), "{\"A\": 1}\n");
        }
        let told = refused(desired_state("@/not/there.json"));
        assert!(told.contains("can't read /not/there.json"), "{told}");
        std::fs::write(&path, "\u{feff}{\"A\": 1}").unwrap();
        let marked = format!("@{}", path.display());
        assert_eq!(desired_state(&marked).unwrap().expose_secret(), "{\"A\": 1}");
        // Without the sign that makes it a name.
        let bare = path.display().to_string();
        assert!(refused(desired_state(&bare)).ends_with(&format!("; did you mean @{bare}?")));
        assert!(refused(patch_document("nofile.json")).ends_with("; did you mean @nofile.json?"));
        assert!(!refused(desired_state("{\"hunter2\": .json")).contains("did you mean"));
        std::fs::write(&path, [b'{', 0xff]).unwrap();
        assert!(refused(desired_state(&format!("@{}", path.display()))).contains("from byte 1 on"));
    }
}
