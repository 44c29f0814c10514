//! `[[hooks]]`

use std::sync::Arc;

use super::values::{entries, given_or, message, refuse_over_one, refuse_too_many, required, share, spread, type_name};
use super::{HookMessages, HookScenario};
use crate::config::document::{Item, Section};
use crate::config::problems::Read;
use crate::config::values::{checked, one_of};
use crate::model::FailureMode;

pub(super) const KEYS: [&str; 11] = [
    "hook_type_name",
    "hook_type_version_id",
    "failure_mode",
    "share",
    "twice",
    "pending",
    "duration",
    "find_fault",
    "break_down",
    "messages",
    "without_event_time",
];
pub(super) const MESSAGE_KEYS: [&str; 3] = ["passed", "found_fault", "broke"];

pub(super) fn read(root: &Section<'_>) -> Read<Vec<Arc<HookScenario>>> {
    let hooks = entries(root, "hooks", |section| hook(section).map(Arc::new))?.unwrap_or_default();
    refuse_too_many(root, "hooks", hooks.len())?;
    Ok(hooks)
}

fn hook(section: &Section<'_>) -> Read<HookScenario> {
    let plain = HookScenario::default();
    let known = section.refuse_unknown(&KEYS, " of a hook");
    let hook_type_name = required(section, "hook_type_name", "the hook's name", |item| {
        type_name(item).map(Arc::from)
    });
    let hook_type_version_id = given_or(section, "hook_type_version_id", plain.hook_type_version_id, |item| {
        checked(item, "a version's id of 1 to 128 characters", |text| {
            (1..=128).contains(&text.len())
        })
        .map(Arc::from)
    });
    let failure_mode = given_or(section, "failure_mode", plain.failure_mode, |item| {
        one_of(item, &[("FAIL", "FAIL"), ("WARN", "WARN")]).map(FailureMode::from)
    });
    let guarded = given_or(section, "share", plain.share, share);
    let twice = given_or(section, "twice", plain.twice, share);
    let pending = given_or(section, "pending", plain.pending, spread);
    let duration = given_or(section, "duration", plain.duration, spread);
    let find_fault = given_or(section, "find_fault", plain.find_fault, share);
    let break_down = given_or(section, "break_down", plain.break_down, share);
    let ends = refuse_over_one(section, &[("find_fault", find_fault), ("break_down", break_down)]);
    let messages = given_or(section, "messages", plain.messages, messages);
    let without_event_time = given_or(section, "without_event_time", plain.without_event_time, share);
    known?;
    ends?;
    Ok(HookScenario {
        hook_type_name: hook_type_name?,
        hook_type_version_id: hook_type_version_id?,
        failure_mode: failure_mode?,
        share: guarded?,
        twice: twice?,
        pending: pending?,
        duration: duration?,
        find_fault: find_fault?,
        break_down: break_down?,
        messages: messages?,
        without_event_time: without_event_time?,
    })
}

fn messages(item: &Item<'_>) -> Read<HookMessages> {
    let section = item.section("a table of messages")?;
    let known = section.refuse_unknown(&MESSAGE_KEYS, " of a hook's messages");
    let passed = section.optional("passed", shared_message);
    let found_fault = section.optional("found_fault", shared_message);
    let broke = section.optional("broke", shared_message);
    known?;
    Ok(HookMessages {
        passed: passed?,
        found_fault: found_fault?,
        broke: broke?,
    })
}

fn shared_message(item: &Item<'_>) -> Read<Arc<str>> {
    message(item).map(Arc::from)
}
