//! `type = "file"`

use std::time::Duration;

use super::{Section, Surroundings, Type};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::values::checked;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "file",
    keys: &["path"],
    audience: Audience::Machines,
    time_out: Duration::from_secs(15),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let expected = "the path of a file, such as \"/var/lib/ccwatch/changes.jsonl\"";
    let is_file = |path: &str| !path.is_empty() && !path.ends_with('/') && !path.contains('\0');
    let path = checked(&section.required("path", expected)?, expected, is_file)?;
    Ok(ReceiverKind::File {
        path: surroundings.folder.join(path),
    })
}
