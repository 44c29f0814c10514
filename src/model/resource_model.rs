//! Masking a ResourceModel, the JSON of a resource's properties, which may hold passwords (trap 15).

use serde_json::Value;

/// What stands for a value that is masked.
const MASK: &str = "***";

/// The model with every value masked and its shape kept: names, nesting, lengths of lists. Numbers and booleans are not
/// spared: which of them are secret no one can tell from here. What is not JSON is masked as a whole: what can't be
/// understood can't be cleaned. Masking twice is masking once.
pub fn mask_resource_model(model: &str) -> String {
    let mut value: Value = serde_json::from_str(model).unwrap_or(Value::Null);
    mask(&mut value);
    value.to_string()
}

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
        let masked = mask_resource_model(model);
        assert_eq!(
            masked,
            r#"{"MasterUserPassword":"***","Name":"***","Port":"***","Tags":[{"Key":"***","Value":"***"}]}"#
        );
        assert_eq!(mask_resource_model(&masked), masked);
    }

    #[test]
    fn what_is_not_json_is_masked_as_a_whole() {
        assert_eq!(mask_resource_model("hunter2 {"), r#""***""#);
        assert_eq!(mask_resource_model(&"[".repeat(100_000)), r#""***""#);
    }
}
