//! Which target here is which one there, and the times in which it was not looked at.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, named_params, params};

use super::super::targets::{TARGET_BY_ACCOUNT, TARGET_BY_NAME, find_target};
use super::super::{Failure, WriteTx};
use super::other::TheirGap;
use crate::decide::merging;
use crate::model::{AccountId, Region, Target, TargetId, TargetName, Timestamp};

/// A target of the other history.
#[derive(Debug, Clone)]
pub(super) struct TheirTarget {
    name: TargetName,
    account_id: Option<AccountId>,
    region: Region,
    registered_at: Timestamp,
    baseline_began_at: Option<Timestamp>,
    baseline_completed_at: Option<Timestamp>,
}

/// The same target here.
pub(super) struct Found {
    pub(super) id: TargetId,
    pub(super) is_new: bool,
    /// Whether a daemon of this history looks at it, or did.
    pub(super) is_watched: bool,
}

const GAPS_BETWEEN: &str = "
SELECT from_at, to_at FROM gaps
WHERE target_id = :target AND from_at <= :to AND (to_at IS NULL OR to_at >= :from)
ORDER BY from_at, id";

impl TheirTarget {
    pub(super) fn name(&self) -> &TargetName {
        &self.name
    }

    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get("name")?,
            account_id: row.get("account_id")?,
            region: row.get("region")?,
            registered_at: row.get("registered_at")?,
            baseline_began_at: row.get("baseline_began_at")?,
            baseline_completed_at: row.get("baseline_completed_at")?,
        })
    }
}

impl WriteTx<'_> {
    /// [`known_target`], or a new one. That comes with its baseline: what had ended before that is no news here either.
    pub(super) fn target_of(&self, theirs: &TheirTarget) -> Result<Found, Failure> {
        if let Some(found) = known_target(&self.transaction, theirs)? {
            let mut watched = self
                .transaction
                .prepare_cached("SELECT last_looked_at IS NOT NULL FROM targets WHERE id = ?1")?;
            let is_watched = watched.query_row([found.id], |row| row.get(0))?;
            return Ok(Found {
                id: found.id,
                is_new: false,
                is_watched,
            });
        }
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO targets (name, account_id, region, registered_at, baseline_began_at, baseline_completed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             RETURNING id",
        )?;
        let name = match find_target(&self.transaction, TARGET_BY_NAME, params![theirs.name])? {
            Some(_) => self.free_name(&theirs.name, theirs.account_id.as_ref())?,
            None => theirs.name.clone(),
        };
        let id = insert.query_row(
            params![
                name,
                theirs.account_id,
                theirs.region,
                theirs.registered_at,
                theirs.baseline_began_at,
                theirs.baseline_completed_at,
            ],
            |row| row.get(0),
        )?;
        Ok(Found {
            id,
            is_new: true,
            is_watched: false,
        })
    }

    /// Brings what is not covered by gaps that are here. Returns the targets that were new, and how many gaps came.
    pub(super) fn bring_gaps(&self, gaps: &[TheirGap]) -> Result<(BTreeSet<String>, usize), Failure> {
        let (mut targets, mut brought) = (BTreeSet::new(), 0);
        for gap in gaps {
            let target = self.target_of(&gap.target)?;
            if target.is_new {
                targets.insert(gap.target.name.to_string());
            }
            let mut between = self.transaction.prepare_cached(GAPS_BETWEEN)?;
            let taken = between.query_map(
                named_params! { ":target": target.id, ":from": gap.from, ":to": gap.to },
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let taken: Vec<(Timestamp, Option<Timestamp>)> = taken.collect::<rusqlite::Result<_>>()?;
            for (from, to) in merging::without((gap.from, gap.to), &taken) {
                let mut insert = self
                    .transaction
                    .prepare_cached("INSERT INTO gaps (target_id, from_at, to_at, reason) VALUES (?1, ?2, ?3, ?4)")?;
                insert.execute(params![target.id, from, to, gap.reason])?;
                brought += 1;
            }
        }
        Ok((targets, brought))
    }
}

/// The target here of the same account and Region; where either side does not know the account, of the same name and Region.
pub(super) fn known_target(connection: &Connection, theirs: &TheirTarget) -> Result<Option<Target>, Failure> {
    let by_account = match &theirs.account_id {
        Some(account) => find_target(connection, TARGET_BY_ACCOUNT, params![account, theirs.region])?,
        None => None,
    };
    if by_account.is_some() {
        return Ok(by_account);
    }
    let named = find_target(connection, TARGET_BY_NAME, params![theirs.name])?;
    Ok(named
        .filter(|named| named.region == theirs.region && (named.account_id.is_none() || theirs.account_id.is_none())))
}
