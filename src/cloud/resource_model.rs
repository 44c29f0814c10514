//! How much of a ResourceModel is let in.

use crate::config::ResourceModelPolicy;
use crate::model::mask_resource_model;

/// Applies the policy.
pub(super) fn admit(model: String, policy: ResourceModelPolicy) -> Option<String> {
    match policy {
        ResourceModelPolicy::Drop => None,
        ResourceModelPolicy::Keep => Some(model),
        ResourceModelPolicy::Redact => Some(mask_resource_model(&model)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_unless_asked_for() {
        let admit = |policy| admit(r#"{"Password":"hunter2"}"#.to_owned(), policy);
        assert_eq!(admit(ResourceModelPolicy::Drop), None);
        assert_eq!(admit(ResourceModelPolicy::Redact).unwrap(), r#"{"Password":"***"}"#);
        assert_eq!(admit(ResourceModelPolicy::Keep).unwrap(), r#"{"Password":"hunter2"}"#);
    }
}
