//! Where in the AWS console a person looks further.
//!
//! - **A hook's news** leads to the list of hook invocations in the CloudFormation console, where the reason stands in full.
//! - **A request's news** leads to CloudTrail's event history, filtered by the call that starts such a request: it shows who
//!   sent it, from where and with what. The event history is there in every account without being set up, and goes back 90
//!   days. The requests themselves have no page in the console, and each resource type's own page has an address of its own
//!   making, which AWS changes at will: a link that leads nowhere is worse than none. To filter by the resource's name
//!   finds nothing where its service does not tell CloudTrail names, or where a creation failed before there was one.
//!
//! The addresses hold the Region and words of this file, nothing else: what came from the wire is compared with what is
//! known, and a Region that does not look like one, or whose partition has no console on the internet, gives no link. What
//! stands before the `#` opens the service's console in any case; AWS nowhere promises what stands behind it. The console
//! shows the account that the person is signed in to, which an address can't choose.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-console.html>

use super::message::Link;
use crate::model::{Announcement, Operation, Region};

/// Longer than any Region's name.
const LONGEST_REGION: usize = 32;

pub(super) fn link(announcement: &Announcement) -> Option<Link> {
    let Region(region) = &announcement.region;
    let host = host(region)?;
    let (label, page) = if announcement.hook.is_some() {
        let page = format!("cloudformation/home?region={region}#/hooks/invocations");
        ("Hook invocations in the AWS console", page)
    } else {
        let operation = announcement.request.operation.as_deref().map(Operation::from);
        let filter = match operation {
            Some(Operation::Create) => "EventName=CreateResource",
            Some(Operation::Update) => "EventName=UpdateResource",
            Some(Operation::Delete) => "EventName=DeleteResource",
            Some(Operation::Other(_)) | None => "EventSource=cloudcontrolapi.amazonaws.com",
        };
        let page = format!("cloudtrail/home?region={region}#/events?{filter}");
        ("Who sent it, in CloudTrail", page)
    };
    Some(Link {
        label,
        url: format!("https://{host}/{page}"),
    })
}

/// The console of the Region's partition.
fn host(region: &str) -> Option<&'static str> {
    if !is_region(region) {
        return None;
    }
    let mut parts = region.split('-');
    match (parts.next(), parts.next()) {
        (Some("cn"), _) => Some("console.amazonaws.cn"),
        (Some("us"), Some("gov")) => Some("console.amazonaws-us-gov.com"),
        (Some("eusc"), _) => Some("console.amazonaws-eusc.eu"),
        // The isolated partitions: us-iso-east-1, us-isob-east-1, eu-isoe-west-1, us-isof-south-1.
        (_, Some(part)) if part.starts_with("iso") => None,
        _ => Some("console.aws.amazon.com"),
    }
}

/// Whether it is written as Regions are: words of lower-case letters, and a number at the end, joined by dashes.
fn is_region(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let is_made_of = |part: &str, right: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| right(&byte));
    text.len() <= LONGEST_REGION
        && parts.len() >= 2
        && is_made_of(number, u8::is_ascii_digit)
        && parts.iter().all(|part| is_made_of(part, u8::is_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::samples::{failed_hook, failed_request, hostile};

    fn url(announcement: &Announcement) -> Option<String> {
        link(announcement).map(|link| link.url)
    }

    #[test]
    fn a_request_leads_to_who_sent_it_and_a_hook_to_what_it_found() {
        let mut request = failed_request();
        assert_eq!(
            url(&request).unwrap(),
            "https://console.aws.amazon.com/cloudtrail/home?region=eu-west-1#/events?EventName=CreateResource"
        );
        request.request.operation = None;
        assert_eq!(
            url(&request).unwrap(),
            "https://console.aws.amazon.com/cloudtrail/home?region=eu-west-1#/events\
             ?EventSource=cloudcontrolapi.amazonaws.com"
        );
        assert_eq!(
            url(&failed_hook("WARN")).unwrap(),
            "https://console.aws.amazon.com/cloudformation/home?region=eu-west-1#/hooks/invocations"
        );
    }

    #[test]
    fn each_partition_has_its_own_console() {
        for (region, expected) in [
            ("ap-southeast-2", Some("console.aws.amazon.com")),
            ("cn-northwest-1", Some("console.amazonaws.cn")),
            ("us-gov-west-1", Some("console.amazonaws-us-gov.com")),
            ("eusc-de-east-1", Some("console.amazonaws-eusc.eu")),
            ("us-isob-east-1", None),
            ("eu-isoe-west-1", None),
        ] {
            assert_eq!(host(region), expected, "{region}");
        }
    }

    #[test]
    fn what_is_no_region_gives_no_link() {
        for region in [
            "",
            "-",
            "eu-west",
            "eu--1",
            "EU-west-1",
            "eu-west-1#/x",
            "eu-west-1&a=b",
            "1-1-1",
            "é-west-1",
        ] {
            assert_eq!(host(region), None, "{region}");
        }
        assert_eq!(host(&format!("eu-{}-1", "x".repeat(100))), None);
    }

    proptest! {
        #[test]
        fn nothing_from_the_wire_gets_into_an_address(text in any::<String>()) {
            prop_assert_eq!(link(&hostile(&text)), None);
            let mut announcement = hostile(&text);
            announcement.region = Region("eu-west-1".to_owned());
            announcement.hook = None;
            announcement.request.operation = None;
            let without = link(&announcement);
            announcement.request.operation = Some(text);
            prop_assert_eq!(link(&announcement), without);
        }
    }
}
