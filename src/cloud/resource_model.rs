//! How much of a ResourceModel is let in.

use serde_json::Value;

use crate::config::ResourceModelPolicy;

/// What stands for a value that is masked.
const MASK: &str = "***";

/// Applies the policy. A model that should be redacted but is not JSON is masked as a whole: what can't be understood
/// can't be cleaned.
pub(super) fn admit(model: String, policy: ResourceModelPolicy) -> Option<String> {
    match policy {
        ResourceModelPolicy::Drop => None,
        ResourceModelPolicy::Keep => Some(model),
        ResourceModelPolicy::Redact => {
            let mut value: Value = serde_json::from_str(&model).unwrap_or(Value::Null);
            mask(&mut value);
            Some(value.to_string())
        }
    }
}

/// Masks every value and keeps the shape: names, nesting, lengths of lists. Nothing is spared, numbers and booleans
/// included: which of them are secret no one can tell from here.
fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(mask),
        Value::Array(items) => items.iter_mut().for_each(mask),
        other => *other = Value::String(MASK.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_stays_and_every_value_goes() {
        let model = r#"{"Name":"db","Port":5432,"Tags":[{"Key":"k","Value":null}],"MasterUserPassword":"hunter2"}"#;
        let kept = admit(model.to_owned(), ResourceModelPolicy::Redact).unwrap();
        assert_eq!(
            kept,
            r#"{"MasterUserPassword":"***","Name":"***","Port":"***","Tags":[{"Key":"***","Value":"***"}]}"#
        );
    }

    #[test]
    fn what_is_not_json_is_masked_as_a_whole() {
        assert_eq!(
            admit("hunter2 {".to_owned(), ResourceModelPolicy::Redact).unwrap(),
            r#""***""#
        );
        let deep = "[".repeat(100_000);
        assert_eq!(admit(deep, ResourceModelPolicy::Redact).unwrap(), r#""***""#);
    }

    #[test]
    fn nothing_is_kept_unless_asked_for() {
        assert_eq!(admit("{}".to_owned(), ResourceModelPolicy::Drop), None);
        assert_eq!(admit("{}".to_owned(), ResourceModelPolicy::Keep), Some("{}".to_owned()));
    }
}
