//! `type = "sns"`

use std::time::Duration;

use super::{Section, Surroundings, Type, aws};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::wording::quoted;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "sns",
    keys: &["topic_arn", "profile", "endpoint_url"],
    audience: Audience::Machines,
    time_out: Duration::from_secs(30),
    read,
};

fn read(section: &Section<'_>, _: &Surroundings<'_>) -> Read<ReceiverKind> {
    aws::is_built_in(section)?;
    let expected = "a topic's ARN, such as \"arn:aws:sns:eu-west-1:123456789012:changes\"";
    let item = section.required("topic_arn", expected)?;
    let arn = item.string(expected)?;
    let region = aws::region_of(arn, "sns");
    let region = region.ok_or_else(|| item.error(format!("expected {expected}, found {}", quoted(arn))));
    let access = aws::access(section, region);
    Ok(ReceiverKind::Sns {
        topic_arn: arn.to_owned(),
        access: access?,
    })
}
