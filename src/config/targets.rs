//! `[[targets]]`

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml_span::value::ValueInner;
use url::Url;

use super::document::{Item, Section};
use super::pace::{self, Draft};
use super::values::{Names, account_of_role, http_url, is_account_id, is_exposed, is_iam_character, is_region};
use super::wording::quoted;
use super::{RoleSettings, TargetSettings};
use crate::model::{AccountId, Region};

pub(super) const OWN_KEYS: [&str; 8] = [
    "name",
    "regions",
    "profile",
    "role_arn",
    "external_id",
    "session_name",
    "account_id",
    "endpoint_url",
];

/// What the routes need to know of the targets.
#[derive(Debug, Default)]
pub(super) struct Targets<'d> {
    pub(super) settings: Vec<TargetSettings>,
    /// Each entry's name and Region, also of entries with something else wrong.
    pub(super) places: Vec<(&'d str, &'d str)>,
    /// Whether the places are all that the file means to name.
    pub(super) complete: bool,
}

pub(super) fn read<'d>(root: &Section<'d>, poll: &Draft) -> Targets<'d> {
    let entries = root.entries("targets");
    if root
        .get("targets")
        .is_none_or(|item| item.members().is_some_and(|members| members.is_empty()))
    {
        root.error(
            "targets",
            "missing; expected at least one [[targets]] entry with a name and regions, to say where to look",
        );
    }
    let mut names = Names::default();
    let mut targets = Targets {
        complete: !entries.is_empty(),
        ..Targets::default()
    };
    for section in &entries {
        entry(section, poll, &mut names, &mut targets);
    }
    targets.complete &= names.is_complete();
    targets
}

fn entry<'d>(section: &Section<'d>, poll: &Draft, names: &mut Names<'d>, targets: &mut Targets<'d>) {
    section.refuse_unknown(&[&OWN_KEYS[..], &pace::KEYS].concat(), " of [[targets]]");
    let name = names.take(section);
    let regions = regions(section);
    targets.complete &= regions.is_some();
    let regions = regions.unwrap_or_default();
    if let Some(name) = name {
        targets.places.extend(regions.iter().map(|region| (name, *region)));
    }

    let profile = section.get("profile").and_then(|item| {
        let is_profile = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
        checked(&item, "the name of a profile of ~/.aws/config", is_profile)
    });
    let role = role(section);
    let account_id = account_id(section, role.as_ref());
    let endpoint_url = section.get("endpoint_url").and_then(|item| endpoint(&item));
    let (Some(name), Some(pace)) = (name, poll.overridden(section).finish()) else {
        return;
    };
    let of_entry = regions.iter().map(|region| TargetSettings {
        entry: name.to_owned(),
        region: Region((*region).to_owned()),
        account_id: account_id.clone(),
        profile: profile.clone(),
        role: role.clone(),
        endpoint_url: endpoint_url.clone(),
        pace: pace.clone(),
    });
    for target in of_entry {
        warn_of_twins(section, &target, &targets.settings);
        targets.settings.push(target);
    }
}

/// `None` if one of them is wrong.
fn regions<'d>(section: &Section<'d>) -> Option<Vec<&'d str>> {
    let expected = "Regions to look at, such as [\"eu-west-1\"]";
    let item = section.required("regions", expected)?;
    let members = item.one_or_more(expected);
    let mut seen = BTreeMap::new();
    let mut regions = Vec::new();
    for member in &members {
        let Some(region) = member.string("a Region, such as \"eu-west-1\"") else {
            continue;
        };
        if !is_region(region) {
            member.error(format!(
                "expected a Region, such as \"eu-west-1\", found {}",
                quoted(region)
            ));
        } else if let Some(first) = seen.insert(region, member) {
            let line = first.line();
            member.error(format!("{} is already named at line {line}", quoted(region)));
        } else {
            regions.push(region);
        }
    }
    (!members.is_empty() && regions.len() == members.len()).then_some(regions)
}

/// Lengths and characters are those of STS's AssumeRole.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn role(section: &Section<'_>) -> Option<RoleSettings> {
    let text_of = |key, lengths: RangeInclusive<usize>, more: &'static [char]| {
        let item = section.get(key)?;
        let letters: String = "_+=,.@-".chars().chain(more.iter().copied()).collect();
        let expected = format!(
            "{} to {} letters, digits or characters of {letters}",
            lengths.start(),
            lengths.end()
        );
        let text = checked(&item, &expected, |text| {
            lengths.contains(&text.len()) && text.chars().all(|c| is_iam_character(c) || more.contains(&c))
        });
        Some((item, text))
    };
    let external_id = text_of("external_id", 2..=1224, &[':', '/']);
    let session_name = text_of("session_name", 2..=64, &[]);
    let Some(item) = section.get("role_arn") else {
        for (item, _) in external_id.iter().chain(&session_name) {
            item.error("is of use only with role_arn, which is missing");
        }
        return None;
    };
    let expected = "the ARN of an IAM role, such as \"arn:aws:iam::123456789012:role/ccwatch\"";
    Some(RoleSettings {
        arn: checked(&item, expected, |text| account_of_role(text).is_some())?,
        external_id: external_id.and_then(|(_, text)| text),
        session_name: session_name.and_then(|(_, text)| text),
    })
}

/// The account as given, else the role's: who assumes a role is in the role's account.
fn account_id(section: &Section<'_>, role: Option<&RoleSettings>) -> Option<AccountId> {
    let of_role = role.and_then(|role| account_of_role(&role.arn));
    let Some(item) = section.get("account_id") else {
        return of_role.map(|account| AccountId(account.to_owned()));
    };
    let expected = "an account id of twelve digits in quotes, such as \"123456789012\"";
    if let ValueInner::Integer(number) = item.inner() {
        let hint = if (0..1_000_000_000_000).contains(number) {
            format!(": write \"{number:012}\"")
        } else {
            String::new()
        };
        item.error(format!("expected {expected}, found an integer{hint}"));
        return None;
    }
    let account = checked(&item, expected, is_account_id)?;
    if let Some(other) = of_role.filter(|other| *other != account) {
        item.error(format!("expected {other}, the account of role_arn, found {account}"));
        return None;
    }
    Some(AccountId(account))
}

fn endpoint(item: &Item<'_>) -> Option<Url> {
    let expected = "an http or https URL of an endpoint";
    let text = item.string(expected)?;
    // The text is not shown: it may hold a password by mistake.
    let url = http_url(text)
        .map_err(|fault| item.error(format!("expected {expected}, found text that {fault}")))
        .ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        item.error("holds a user name or a password, of which AWS has no use: leave it out");
        return None;
    }
    if url.query().is_some() || url.fragment().is_some() {
        item.error("ends in a query or a fragment, which an endpoint can't have");
        return None;
    }
    if is_exposed(&url) {
        item.warning("is http to another machine: requests and answers can be read on the way");
    }
    Some(url)
}

/// The item's text if it is as it should be.
fn checked(item: &Item<'_>, expected: &str, is_right: impl Fn(&str) -> bool) -> Option<String> {
    let text = item.string(expected)?;
    if is_right(text) {
        return Some(text.to_owned());
    }
    item.error(format!("expected {expected}, found {}", quoted(text)));
    None
}

/// Two entries that differ in name alone tell everything twice.
fn warn_of_twins(section: &Section<'_>, target: &TargetSettings, others: &[TargetSettings]) {
    let is_twin = |other: &&TargetSettings| {
        (&other.region, &other.profile, &other.role, &other.endpoint_url)
            == (&target.region, &target.profile, &target.role, &target.endpoint_url)
    };
    if let Some(first) = others.iter().find(is_twin) {
        let message = format!(
            "looks at {} with the same credentials as {}: each change is told for both",
            target.region,
            quoted(&first.entry)
        );
        section.warning("regions", message);
    }
}
