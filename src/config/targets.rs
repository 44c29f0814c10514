//! `[[targets]]`

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml_span::value::ValueInner;
use url::Url;

use super::document::{Item, Section};
use super::pace::{self, Draft};
use super::problems::{Read, all};
use super::values::{
    Names, account_of_role, checked, http_url, is_account_id, is_exposed, is_iam_character, is_region,
};
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

/// Where the file says to look, for patterns to be held against.
pub(super) struct Places<'d> {
    /// Each entry's name and Region, also of entries with something else wrong.
    pub(super) known: Vec<(&'d str, &'d str)>,
    /// Whether these are all that the file means to name.
    pub(super) complete: Read<()>,
}

/// The targets, and beside them the places, which are known even if something else is wrong.
pub(super) fn read<'d>(root: &Section<'d>, poll: &Draft) -> (Read<Vec<TargetSettings>>, Places<'d>) {
    let mut places = Places {
        known: Vec::new(),
        complete: Ok(()),
    };
    let settings = entries(root, poll, &mut places);
    (settings, places)
}

fn entries<'d>(root: &Section<'d>, poll: &Draft, places: &mut Places<'d>) -> Read<Vec<TargetSettings>> {
    let entries = root.entries("targets").and_then(|entries| {
        if entries.is_empty() {
            let expected = "at least one [[targets]] entry with a name and regions, to say where to look";
            return Err(root.error("targets", format!("missing; expected {expected}")));
        }
        Ok(entries)
    });
    let entries = entries.inspect_err(|reported| places.complete = Err(*reported))?;
    let mut names = Names::default();
    let of_entries = all(entries.iter().map(|section| entry(section, poll, &mut names, places)))?;
    let mut settings = Vec::new();
    for (section, of_entry) in entries.iter().zip(of_entries) {
        for target in of_entry {
            warn_of_twins(section, &target, &settings);
            settings.push(target);
        }
    }
    Ok(settings)
}

fn entry<'d>(
    section: &Section<'d>,
    poll: &Draft,
    names: &mut Names<'d>,
    places: &mut Places<'d>,
) -> Read<Vec<TargetSettings>> {
    let known = section.refuse_unknown(&[&OWN_KEYS[..], &pace::KEYS].concat(), " of [[targets]]");
    let name = names.take(section);
    let regions = regions(section);
    match (name, &regions) {
        (Ok(name), Ok(regions)) => places.known.extend(regions.iter().map(|region| (name, *region))),
        (Err(reported), _) | (_, &Err(reported)) => places.complete = Err(reported),
    }
    let profile = section.optional("profile", profile);
    let role = role(section);
    let account_id = account_id(section, role.as_ref().ok().and_then(Option::as_ref));
    let endpoint_url = section.optional("endpoint_url", endpoint);
    let pace = poll.overridden(section).finish();
    known?;
    let (name, profile, role) = (name?, profile?, role?);
    let (account_id, endpoint_url, pace) = (account_id?, endpoint_url?, pace?);
    let of_region = |region: &str| TargetSettings {
        entry: name.to_owned(),
        region: Region(region.to_owned()),
        account_id: account_id.clone(),
        profile: profile.clone(),
        role: role.clone(),
        endpoint_url: endpoint_url.clone(),
        pace: pace.clone(),
    };
    Ok(regions?.into_iter().map(of_region).collect())
}

fn regions<'d>(section: &Section<'d>) -> Read<Vec<&'d str>> {
    let expected = "Regions to look at, such as [\"eu-west-1\"]";
    let members = section.required("regions", expected)?.one_or_more(expected)?;
    let mut seen = BTreeMap::new();
    let read = members.iter().map(|member| {
        let expected = "a Region, such as \"eu-west-1\"";
        let region = member.string(expected)?;
        if !is_region(region) {
            return Err(member.error(format!("expected {expected}, found {}", quoted(region))));
        }
        match seen.insert(region, member) {
            Some(first) => Err(member.error(format!("{} is already named at line {}", quoted(region), first.line()))),
            None => Ok(region),
        }
    });
    all(read)
}

/// Lengths and characters are those of STS's AssumeRole.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn role(section: &Section<'_>) -> Read<Option<RoleSettings>> {
    let text_of = |key, lengths: RangeInclusive<usize>, more: &'static [char]| {
        section.optional(key, |item| {
            let letters: String = "_+=,.@-".chars().chain(more.iter().copied()).collect();
            let (least, most) = (lengths.start(), lengths.end());
            let expected = format!("{least} to {most} letters, digits or characters of {letters}");
            checked(item, &expected, |text| {
                lengths.contains(&text.len()) && text.chars().all(|c| is_iam_character(c) || more.contains(&c))
            })
        })
    };
    let external_id = text_of("external_id", 2..=1224, &[':', '/']);
    let session_name = text_of("session_name", 2..=64, &[]);
    let expected = "the ARN of an IAM role, such as \"arn:aws:iam::123456789012:role/ccwatch\"";
    let arn = section.optional("role_arn", |item| {
        checked(item, expected, |text| account_of_role(text).is_some())
    });
    let Some(arn) = arn? else {
        let without = |key| match section.get(key) {
            Some(item) => Err(item.error("is of use only with role_arn, which is missing")),
            None => Ok(()),
        };
        let (external_id, session_name) = (without("external_id"), without("session_name"));
        return external_id.and(session_name).map(|()| None);
    };
    Ok(Some(RoleSettings {
        arn,
        external_id: external_id?,
        session_name: session_name?,
    }))
}

/// The account as given, else the role's: who assumes a role is in the role's account.
fn account_id(section: &Section<'_>, role: Option<&RoleSettings>) -> Read<Option<AccountId>> {
    let of_role = role.and_then(|role| account_of_role(&role.arn));
    let Some(item) = section.get("account_id") else {
        return Ok(of_role.map(|account| AccountId(account.to_owned())));
    };
    let expected = "an account id of twelve digits in quotes, such as \"123456789012\"";
    if let ValueInner::Integer(number @ 0..1_000_000_000_000) = item.inner() {
        let message = format!("expected {expected}, found an integer: write \"{number:012}\"");
        return Err(item.error(message));
    }
    let account = checked(&item, expected, is_account_id)?;
    match of_role {
        Some(other) if other != account => {
            Err(item.error(format!("expected {other}, the account of role_arn, found {account}")))
        }
        _ => Ok(Some(AccountId(account))),
    }
}

/// A profile to take credentials from.
pub(super) fn profile(item: &Item<'_>) -> Read<String> {
    let is_profile = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
    checked(item, "the name of a profile of ~/.aws/config", is_profile)
}

/// An endpoint that stands in for AWS's own.
pub(super) fn endpoint(item: &Item<'_>) -> Read<Url> {
    let expected = "an http or https URL of an endpoint";
    let text = item.string(expected)?;
    // The text is not shown: it may hold a password by mistake.
    let url = http_url(text).map_err(|fault| item.error(format!("expected {expected}, found text that {fault}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(item.error("holds a user name or a password, of which AWS has no use: leave it out"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(item.error("ends in a query or a fragment, which an endpoint can't have"));
    }
    if is_exposed(&url) {
        item.warning("is http to another machine: requests and answers can be read on the way");
    }
    Ok(url)
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
