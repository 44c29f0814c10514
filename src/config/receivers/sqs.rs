//! `type = "sqs"`

use std::time::Duration;

use url::Url;

use super::{Section, Surroundings, Type, aws};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::values::{http_url, is_region};
use crate::decide::route::Audience;
use crate::model::Region;

pub(super) const TYPE: Type = Type {
    name: "sqs",
    keys: &["queue_url", "region", "profile", "endpoint_url"],
    audience: Audience::Machines,
    time_out: Duration::from_secs(30),
    read,
};

fn read(section: &Section<'_>, _: &Surroundings<'_>) -> Read<ReceiverKind> {
    aws::is_built_in(section)?;
    let expected = "a queue's URL, such as \"https://sqs.eu-west-1.amazonaws.com/123456789012/changes\"";
    let item = section.required("queue_url", expected)?;
    let text = item.string(expected)?;
    let url = http_url(text).map_err(|fault| item.error(format!("expected {expected}, found text that {fault}")));
    let region = match &url {
        Ok(url) if section.get("region").is_none() => region_of(url).ok_or_else(|| {
            section.error(
                "region",
                "missing; `queue_url` does not say in which Region the queue is",
            )
        }),
        Ok(_) => aws::region(section),
        Err(reported) => Err(*reported),
    };
    let access = aws::access(section, region);
    Ok(ReceiverKind::Sqs {
        queue_url: url?.into(),
        access: access?,
    })
}

/// As the endpoints of SQS name it: <https://docs.aws.amazon.com/general/latest/gr/sqs-service.html>
fn region_of(queue: &Url) -> Option<Region> {
    let host = queue.host_str()?;
    let region = host
        .strip_prefix("sqs.")
        .and_then(|host| host.split_once(".amazonaws.com"))
        .or_else(|| host.split_once(".queue.amazonaws.com"))?
        .0;
    is_region(region).then(|| Region(region.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queues_url_says_its_region() {
        for (url, region) in [
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/q", Some("eu-west-1")),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q",
                Some("cn-north-1"),
            ),
            (
                "https://eu-west-1.queue.amazonaws.com/123456789012/q",
                Some("eu-west-1"),
            ),
            ("http://localhost:5000/123456789012/q", None),
            ("https://sqs.amazonaws.com/123456789012/q", None),
        ] {
            let region = region.map(|name| Region(name.to_owned()));
            assert_eq!(region_of(&Url::parse(url).unwrap()), region, "{url}");
        }
    }
}
