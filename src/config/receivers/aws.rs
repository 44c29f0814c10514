//! What the receivers in AWS share: `profile`, `endpoint_url`, and how an ARN says its Region.

use super::Section;
use crate::config::AwsAccess;
use crate::config::problems::Read;
use crate::config::targets::{endpoint, profile};
use crate::config::values::{checked, is_account_id, is_region};
use crate::model::Region;

/// Refuses the entry if this ccwatch cannot talk to AWS's messaging.
pub(super) fn is_built_in(section: &Section<'_>) -> Read<()> {
    if cfg!(feature = "aws-receivers") {
        return Ok(());
    }
    Err(section.error(
        "type",
        "this ccwatch was built without the receivers in AWS: build it with the cargo feature `aws-receivers`",
    ))
}

/// `profile` and `endpoint_url`, beside the Region.
pub(super) fn access(section: &Section<'_>, region: Read<Region>) -> Read<AwsAccess> {
    let profile = section.optional("profile", profile);
    let endpoint_url = section.optional("endpoint_url", endpoint);
    Ok(AwsAccess {
        region: region?,
        profile: profile?,
        endpoint_url: endpoint_url?,
    })
}

/// `region`, which must be there.
pub(super) fn region(section: &Section<'_>) -> Read<Region> {
    let expected = "a Region, such as \"eu-west-1\"";
    checked(&section.required("region", expected)?, expected, is_region).map(Region)
}

/// The Region of `arn:<partition>:<service>:<region>:<account>:<resource>`, or `None` if it is no such ARN.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
pub(super) fn region_of(arn: &str, service: &str) -> Option<Region> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", partition, its_service, region, account, resource] = parts.as_slice() else {
        return None;
    };
    let is_right = partition.starts_with("aws")
        && its_service == service
        && is_region(region)
        && is_account_id(account)
        && !resource.is_empty()
        && resource.bytes().all(|byte| byte.is_ascii_graphic());
    is_right.then(|| Region(region.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_its_region() {
        for (arn, service, region) in [
            ("arn:aws:sns:eu-west-1:123456789012:changes", "sns", Some("eu-west-1")),
            (
                "arn:aws-cn:sns:cn-north-1:123456789012:a.fifo",
                "sns",
                Some("cn-north-1"),
            ),
            (
                "arn:aws:events:us-east-1:123456789012:event-bus/ops",
                "events",
                Some("us-east-1"),
            ),
            ("arn:aws:sqs:eu-west-1:123456789012:changes", "sns", None),
            ("arn:aws:sns::123456789012:changes", "sns", None),
            ("arn:aws:sns:eu-west-1:1:changes", "sns", None),
            ("arn:aws:sns:eu-west-1:123456789012:", "sns", None),
            ("changes", "sns", None),
        ] {
            assert_eq!(
                region_of(arn, service),
                region.map(|name| Region(name.to_owned())),
                "{arn}"
            );
        }
    }
}
