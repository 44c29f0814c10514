//! Many deliveries as one: what waits for a receiver that people read, when it is more than they would read one by one.
//!
//! A digest takes what is pending of every line whose head is due, all of one group, oldest first, but for two things:
//! it stops in a line where another group begins or where something is held for later, since the order of a line
//! stands above all (law 4); and the last change of a request that has a living message is left to be told alone. It goes into
//! a thread, so that it floods no one, and brings the message up to date, which would else show an old state for ever.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use super::Failure;
use super::announcements::{Errand, announcement};
use super::sql::{ChangeId, RequestId};
use crate::decide::severity::severity;
use crate::model::{ChangeKind, Delivery, DeliveryId, Digest, DigestCount, EventId, News, Timestamp};

/// The most deliveries in one digest: what is held in memory, and what a crash could repeat, is bounded.
const MOST: usize = 1000;
/// The most changes that a digest shows one by one.
const SHOWN: usize = 10;

/// Lines whose head is due, of one group. What is pending in each, in the order of the line.
pub(super) const MEMBERS: &str = "
SELECT d.id, d.change_id, d.request_id, d.group_key = h.group_key AND d.not_before <= ?3 AS joins, d.attempts, d.since,
    d.replayed, c.kind, c.to_status, c.at, k.failure_mode, r.type_name, t.name AS target, m.history_id,
    EXISTS (SELECT 1 FROM threads AS l WHERE l.request_id = d.request_id AND l.receiver = ?1) AS has_thread
FROM deliveries AS h
JOIN deliveries AS d ON d.state = 'pending' AND d.receiver = ?1 AND d.request_id = h.request_id
JOIN changes AS c ON c.id = d.change_id
JOIN requests AS r ON r.id = c.request_id
JOIN targets AS t ON t.id = r.target_id
JOIN meta AS m ON m.id = 1
LEFT JOIN hooks AS k ON k.id = c.hook_id
WHERE h.receiver = ?1 AND h.group_key = ?2 AND h.next_attempt_at <= ?3
ORDER BY h.next_attempt_at, h.id, d.id
LIMIT ?4";

struct Member {
    id: DeliveryId,
    change: ChangeId,
    request: RequestId,
    joins: bool,
    attempts: u32,
    since: Timestamp,
    replayed: bool,
    kind: ChangeKind,
    to: Option<String>,
    at: Timestamp,
    failure_mode: Option<String>,
    type_name: Option<String>,
    target: String,
    history_id: String,
    has_thread: bool,
}

/// The digest that is due to `receiver` in the group, if it would tell of more than `over` changes.
pub(super) fn digest(
    connection: &Connection,
    receiver: &str,
    group: &str,
    now: Timestamp,
    over: u32,
) -> Result<Option<Delivery>, Failure> {
    let mut statement = connection.prepare_cached(MEMBERS)?;
    // One more, since the last line may go on beyond it.
    let limit = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let members = statement.query_map(params![receiver, group, now, limit], |row| {
        Ok(Member {
            id: row.get("id")?,
            change: row.get("change_id")?,
            request: row.get("request_id")?,
            joins: row.get("joins")?,
            attempts: row.get("attempts")?,
            since: row.get("since")?,
            replayed: row.get("replayed")?,
            kind: row.get("kind")?,
            to: row.get("to_status")?,
            at: row.get("at")?,
            failure_mode: row.get("failure_mode")?,
            type_name: row.get("type_name")?,
            target: row.get("target")?,
            history_id: row.get("history_id")?,
            has_thread: row.get("has_thread")?,
        })
    })?;
    let members = told_together(members.collect::<rusqlite::Result<_>>()?);
    if members.len() <= over as usize {
        return Ok(None);
    }
    summed_up(connection, receiver, &members)
}

/// Those that a digest may take.
fn told_together(found: Vec<Member>) -> Vec<Member> {
    let mut is_taken = Vec::with_capacity(found.len());
    for line in found.chunk_by(|one, next| one.request == next.request) {
        let joining = line.iter().take_while(|member| member.joins).count();
        let alone = usize::from(line.iter().any(|member| member.has_thread));
        let taken = joining.min(line.len() - alone);
        is_taken.extend((0..line.len()).map(|position| position < taken));
    }
    let members = found
        .into_iter()
        .zip(is_taken)
        .filter_map(|(member, is_taken)| is_taken.then_some(member));
    members.take(MOST).collect()
}

/// `None` where there is nothing.
fn summed_up(connection: &Connection, receiver: &str, members: &[Member]) -> Result<Option<Delivery>, Failure> {
    let by_id = |member: &&Member| member.id;
    let (Some(first), Some(last)) = (members.iter().min_by_key(by_id), members.iter().max_by_key(by_id)) else {
        return Ok(None);
    };
    let mut sorts: BTreeMap<Sort, u32> = BTreeMap::new();
    let mut targets: BTreeMap<&str, u32> = BTreeMap::new();
    let mut types: BTreeMap<Option<&str>, u32> = BTreeMap::new();
    let mut requests: Vec<RequestId> = Vec::new();
    for member in members {
        *sorts.entry(member.sort()).or_default() += 1;
        *targets.entry(&member.target).or_default() += 1;
        *types.entry(member.type_name.as_deref()).or_default() += 1;
        // The members of a line stand together.
        if requests.last() != Some(&member.request) {
            requests.push(member.request);
        }
    }
    let mut worst: Vec<&Member> = members.iter().collect();
    worst.sort_by_key(|member| (Reverse(member.severity()), member.id));
    let worst = worst
        .into_iter()
        .take(SHOWN)
        .map(|member| {
            let errand = Errand {
                replayed: member.replayed,
                ..Errand::default()
            };
            announcement(connection, member.change, errand)
        })
        .collect::<rusqlite::Result<_>>()?;
    let counts = sorts.into_iter().map(|(sort, count)| DigestCount {
        kind: sort.kind,
        status: sort.status,
        failure_mode: sort.failure_mode,
        count,
    });
    let digest = Digest {
        id: EventId(format!("{}-d{}", first.history_id, fingerprint(members))),
        from: members.iter().map(|member| member.at).min().unwrap_or(first.at),
        to: members.iter().map(|member| member.at).max().unwrap_or(last.at),
        changes: count(members.len()),
        requests: count(requests.len()),
        replayed: count(members.iter().filter(|member| member.replayed).count()),
        counts: counts.collect(),
        targets: most_first(targets.into_iter().map(|(name, count)| (name.to_owned(), count))),
        types: most_first(types.into_iter().map(|(name, count)| (name.map(str::to_owned), count))),
        worst,
    };
    Ok(Some(Delivery {
        receiver: receiver.to_owned(),
        // Its youngest member decides whether it is given up: none is sooner than it was promised.
        attempts: members.iter().map(|member| member.attempts).min().unwrap_or(0),
        since: members.iter().map(|member| member.since).max().unwrap_or(first.since),
        ids: members.iter().map(|member| member.id).collect(),
        news: News::Digest(Box::new(digest)),
        thread: None,
    }))
}

/// What changes of one sort have in common; the worst first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Sort {
    severity: Reverse<u8>,
    kind: String,
    status: Option<String>,
    failure_mode: Option<String>,
}

impl Member {
    fn sort(&self) -> Sort {
        Sort {
            severity: Reverse(self.severity()),
            kind: self.kind.as_str().to_owned(),
            status: self.to.clone(),
            failure_mode: self.failure_mode.clone(),
        }
    }

    fn severity(&self) -> u8 {
        severity(&self.kind, self.to.as_deref(), self.failure_mode.as_deref())
    }
}

/// The same for the same deliveries, and for no others: a tool that throws away what it has seen must not take a digest for an
/// earlier one with fewer changes.
fn fingerprint(members: &[Member]) -> String {
    let mut hash = Sha256::new();
    for member in members {
        hash.update(member.id.0.to_be_bytes());
    }
    hash.finalize()[..12].iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn most_first<K>(counts: impl Iterator<Item = (K, u32)>) -> Vec<(K, u32)> {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "digests_tests.rs"]
mod tests;
