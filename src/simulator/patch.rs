//! RFC 6902 patches: what UpdateResource does to a resource's properties.
//!
//! A patch is hostile input that multiplies: a few `copy` operations on themselves fill the memory, a few `move`
//! operations nest deeper than a stack. So what each operation puts in place is weighed before it is put there; the
//! weights of a patch have a sum, and no value may lie deeper than JSON can be read again.
//!
//! The service's words were seen in public: hashicorp/terraform-provider-awscc#3235 and pulumi/pulumi-aws-native#277
//! (`[REPLACE Operation] noSuchPath in source, path provided : //Code`), both as ValidationException of the call.

use json_patch::jsonptr::Pointer;
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::refusal::Refusal;

/// How many bytes a patch may put in place: sixteen times the longest model.
const LARGEST_SUM: usize = 4 * 1024 * 1024;

/// How deep values may lie in one another: a little less deep than serde_json reads.
const DEEPEST: usize = 120;

/// Reads a patch document. The error never repeats the text: it may hold secrets.
pub(super) fn read(text: &str) -> Result<Patch, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        let what = if error.is_data() {
            "an operation is not one of RFC 6902"
        } else {
            "it is not JSON"
        };
        Refusal::invalid_model(format!(
            "Invalid patch document: {what} (line {}, column {}).",
            error.line(),
            error.column()
        ))
    })
}

/// Applies a patch, or says which operation can't be. What is left of `document` is then of no use.
pub(super) fn apply(document: &mut Value, patch: &Patch) -> Result<(), Refusal> {
    let mut left = LARGEST_SUM;
    for operation in patch.iter() {
        weigh(document, operation, &mut left)
            .ok_or_else(|| Refusal::invalid_model("The patch document makes the resource model too large.".into()))?;
        json_patch::patch_unsafe(document, std::slice::from_ref(operation)).map_err(|error| {
            use json_patch::PatchErrorKind::{CannotMoveInsideItself, InvalidFromPointer, TestFailed};
            let why = match error.kind {
                TestFailed => "value differs from expectations, path provided : ",
                CannotMoveInsideItself => "value can't be moved inside itself, path provided : ",
                InvalidFromPointer => "noSuchPath in source, from the path provided with : ",
                _ => "noSuchPath in source, path provided : ",
            };
            // The service writes a slash more than the pointer has.
            Refusal::invalid_model(format!("[{} Operation] {why}/{}", name(operation), error.path))
        })?;
    }
    Ok(())
}

fn name(operation: &PatchOperation) -> &'static str {
    match operation {
        PatchOperation::Add(_) => "ADD",
        PatchOperation::Remove(_) => "REMOVE",
        PatchOperation::Replace(_) => "REPLACE",
        PatchOperation::Move(_) => "MOVE",
        PatchOperation::Copy(_) => "COPY",
        PatchOperation::Test(_) => "TEST",
    }
}

/// Takes what the operation puts in place off `left`; `None` if that is too much or too deep.
fn weigh(document: &Value, operation: &PatchOperation, left: &mut usize) -> Option<()> {
    let (value, path) = match operation {
        PatchOperation::Add(add) => (Some(&add.value), &add.path),
        PatchOperation::Replace(replace) => (Some(&replace.value), &replace.path),
        PatchOperation::Move(moved) => (at(document, &moved.from), &moved.path),
        PatchOperation::Copy(copied) => (at(document, &copied.from), &copied.path),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => return Some(()),
    };
    let depth = path.count();
    value.map_or(Some(()), |value| weigh_value(value, depth, left))
}

fn at<'a>(document: &'a Value, pointer: &Pointer) -> Option<&'a Value> {
    document.pointer(pointer.as_str())
}

fn weigh_value(value: &Value, depth: usize, left: &mut usize) -> Option<()> {
    if depth >= DEEPEST {
        return None;
    }
    let weight = match value {
        Value::String(text) => text.len() + 2,
        _ => 8,
    };
    *left = left.checked_sub(weight)?;
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| weigh_value(value, depth + 1, left)),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| {
            *left = left.checked_sub(name.len())?;
            weigh_value(value, depth + 1, left)
        }),
        _ => Some(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn patched(document: &Value, patch: &Value) -> Result<Value, String> {
        let mut document = document.clone();
        let patch = read(&patch.to_string()).map_err(|refusal| refusal.message)?;
        apply(&mut document, &patch).map_err(|refusal| refusal.message)?;
        Ok(document)
    }

    #[test]
    fn each_operation_of_the_standard_does_its_own() {
        let before = json!({ "Tags": [{ "Key": "a" }], "Size": 1, "Old": { "x": 1 } });
        let after = patched(
            &before,
            &json!([
                { "op": "test", "path": "/Size", "value": 1 },
                { "op": "add", "path": "/Tags/-", "value": { "Key": "b" } },
                { "op": "replace", "path": "/Size", "value": 2 },
                { "op": "move", "from": "/Old", "path": "/New" },
                { "op": "copy", "from": "/New/x", "path": "/a~1b" },
                { "op": "remove", "path": "/Tags/0" },
            ]),
        );
        assert_eq!(
            after,
            Ok(json!({ "Tags": [{ "Key": "b" }], "Size": 2, "New": { "x": 1 }, "a/b": 1 }))
        );
    }

    #[test]
    fn what_cannot_be_applied_is_told_in_the_services_words() {
        let before = json!({ "Size": 1 });
        for (operation, says) in [
            (
                json!({ "op": "replace", "path": "/Code", "value": 1 }),
                "[REPLACE Operation] noSuchPath in source, path provided : //Code",
            ),
            (
                json!({ "op": "remove", "path": "/Code/0" }),
                "[REMOVE Operation] noSuchPath in source, path provided : //Code/0",
            ),
            (
                json!({ "op": "test", "path": "/Size", "value": 2 }),
                "[TEST Operation] value differs from expectations",
            ),
            (
                json!({ "op": "copy", "from": "/Code", "path": "/x" }),
                "[COPY Operation]",
            ),
            (
                json!({ "op": "move", "from": "/Size", "path": "/Size/x" }),
                "[MOVE Operation]",
            ),
            (
                json!({ "op": "add", "path": "/Size/0", "value": "s3cret" }),
                "[ADD Operation]",
            ),
            (json!({ "op": "add", "path": "/Size" }), "Invalid patch document"),
            (
                json!({ "op": "merge", "path": "/Size", "value": "s3cret" }),
                "Invalid patch document",
            ),
            (
                json!({ "op": "add", "path": "Size", "value": 1 }),
                "Invalid patch document",
            ),
        ] {
            let error = patched(&before, &json!([operation])).unwrap_err();
            assert!(error.starts_with(says), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        for text in ["", "{}", "null", "[1]", "[[", "s3cret"] {
            let error = read(text).unwrap_err().message;
            assert!(error.starts_with("Invalid patch document"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_patch_that_multiplies_or_digs_is_stopped() {
        let doubling: Vec<Value> = (0..60)
            .map(|nth| json!({ "op": "copy", "from": "", "path": format!("/{nth}") }))
            .collect();
        let digging: Vec<Value> = (0..10_000)
            .map(|nth| match nth % 2 {
                0 => json!({ "op": "move", "from": "/a", "path": "/b/a" }),
                _ => json!({ "op": "move", "from": "/b", "path": "/a/b" }),
            })
            .flat_map(|step| [json!({ "op": "add", "path": "/b", "value": {} }), step])
            .collect();
        let deep = json!([{ "op": "add", "path": format!("{}/x", "/a".repeat(200)), "value": 1 }]);
        for patch in [json!(doubling), json!(digging), deep] {
            assert!(patched(&json!({ "a": {}, "text": "x".repeat(100) }), &patch).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_patch_makes_it_fail_or_grow_beyond_its_bounds(
            operations in proptest::collection::vec(
                ("add|remove|replace|move|copy|test|nope", "(/[ab0-]){0,4}", "(/[ab0-]){0,4}"),
                0..40,
            ),
        ) {
            let operations: Vec<Value> = operations
                .into_iter()
                .map(|(op, path, from)| json!({ "op": op, "path": path, "from": from, "value": { "a": [1] } }))
                .collect();
            if let Ok(after) = patched(&json!({ "a": { "b": [] } }), &json!(operations)) {
                prop_assert!(serde_json::from_str::<Value>(&after.to_string()).is_ok(), "it reads back");
            }
        }
    }
}
