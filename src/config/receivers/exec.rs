//! `type = "exec"`

use std::path::Path;
use std::time::Duration;

use super::{Section, Surroundings, Type};
use crate::config::ReceiverKind;
use crate::config::problems::{Read, all};
use crate::config::wording::quoted;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "exec",
    keys: &["command", "payload"],
    audience: Audience::Machines,
    time_out: Duration::from_secs(30),
    read,
};

fn read(section: &Section<'_>, _: &Surroundings<'_>) -> Read<ReceiverKind> {
    Ok(ReceiverKind::Exec {
        command: command(section)?,
    })
}

fn command(section: &Section<'_>) -> Read<Vec<String>> {
    let expected = "a program and its arguments, such as [\"/usr/bin/logger\", \"-t\", \"ccwatch\"]";
    let item = section.required("command", expected)?;
    if let Some(program) = item.inner().as_str()
        && !Path::new(program).is_absolute()
    {
        return Err(item.error(format!(
            "expected an array, or the absolute path of a program alone (no shell is there to split it), found {}",
            quoted(program)
        )));
    }
    let members = item.one_or_more(expected)?;
    all(members.iter().enumerate().map(|(index, member)| {
        let word = member.string("a string")?;
        if index == 0 && word.trim().is_empty() {
            return Err(member.error(format!("expected a program, found {}", quoted(word))));
        }
        if word.contains('\0') {
            return Err(member.error("holds a NUL character, which no argument can"));
        }
        Ok(word.to_owned())
    }))
}
