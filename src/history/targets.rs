//! Targets: which row of the history belongs to which entry of the configuration, and how far its baseline is.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::{Failure, WriteTx};
use crate::decide::diff::Baseline;
use crate::model::{AccountId, Region, Target, TargetId, TargetName, Timestamp};

/// A target as the history knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    pub target: Target,
    /// `None`: not begun, the target is new.
    pub baseline: Option<Baseline>,
    /// `None`: never yet.
    pub last_looked_at: Option<Timestamp>,
}

pub(super) const TARGET_BY_ACCOUNT: &str =
    "SELECT id, name, account_id, region FROM targets WHERE account_id = ?1 AND region = ?2";
pub(super) const TARGET_BY_NAME: &str = "SELECT id, name, account_id, region FROM targets WHERE name = ?1";
pub(super) const TARGET_BY_ID: &str = "SELECT id, name, account_id, region FROM targets WHERE id = ?1";

pub(super) fn find_target(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Option<Target>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params, target_from).optional()?)
}

pub(super) fn target_from(row: &Row<'_>) -> rusqlite::Result<Target> {
    Ok(Target {
        id: row.get("id")?,
        name: row.get("name")?,
        account_id: row.get("account_id")?,
        region: row.get("region")?,
    })
}

impl WriteTx<'_> {
    /// The row for a configured target, which is found, adopted or made.
    ///
    /// The identity is account and Region; the name is what the configuration calls it just now:
    /// - a row of this account and Region takes the name, so that history survives the renaming of an entry;
    /// - else a row of this name whose account was never known is taken to be this account's;
    /// - else a new row. If another account's row has the name, that one becomes `<name>@<its account>`.
    ///
    /// Where the account is not known, the name alone decides.
    pub fn register_target(
        &self,
        name: &TargetName,
        account_id: Option<&AccountId>,
        region: &Region,
        now: Timestamp,
    ) -> Result<Registered, Failure> {
        let named = self.find_target(TARGET_BY_NAME, params![name])?;
        let own = match account_id {
            Some(account_id) => self.find_target(TARGET_BY_ACCOUNT, params![account_id, region])?,
            None => None,
        };
        let id = match (own, named) {
            (Some(own), Some(named)) if own.id == named.id => own.id,
            (Some(own), named) => {
                self.give_up_name(named)?;
                self.transaction
                    .execute("UPDATE targets SET name = ?2 WHERE id = ?1", params![own.id, name])?;
                own.id
            }
            (None, Some(named)) if account_id.is_none() => named.id,
            (None, Some(named)) if named.account_id.is_none() => {
                self.transaction.execute(
                    "UPDATE targets SET account_id = ?2 WHERE id = ?1",
                    params![named.id, account_id],
                )?;
                named.id
            }
            (None, named) => {
                self.give_up_name(named)?;
                self.insert_target(name, account_id, region, now)?
            }
        };
        let last_looked_at =
            self.transaction
                .query_row("SELECT last_looked_at FROM targets WHERE id = ?1", [id], |row| {
                    row.get(0)
                })?;
        Ok(Registered {
            target: self.target(id)?,
            baseline: self.baseline(id)?,
            last_looked_at,
        })
    }

    /// The row of an account and Region as it is called now; else the row of that name, unless it is another account's; else a
    /// new one. For who is not the daemon: its configuration alone renames what it watches, and says whose it is. So a name
    /// that is another account's stays so, and what was begun is remembered under `<name>@<its account>`.
    pub(super) fn adopt_target(
        &self,
        name: &TargetName,
        account_id: Option<&AccountId>,
        region: &Region,
        now: Timestamp,
    ) -> Result<TargetId, Failure> {
        if let Some(account_id) = account_id
            && let Some(own) = self.find_target(TARGET_BY_ACCOUNT, params![account_id, region])?
        {
            return Ok(own.id);
        }
        let name = match self.find_target(TARGET_BY_NAME, params![name])? {
            Some(named) if account_id.is_none() || named.account_id.is_none() => return Ok(named.id),
            Some(_) => self.free_name(name, account_id)?,
            None => name.clone(),
        };
        self.insert_target(&name, account_id, region, now)
    }

    fn insert_target(
        &self,
        name: &TargetName,
        account_id: Option<&AccountId>,
        region: &Region,
        now: Timestamp,
    ) -> Result<TargetId, Failure> {
        Ok(self.transaction.query_row(
            "INSERT INTO targets (name, account_id, region, registered_at) VALUES (?1, ?2, ?3, ?4) RETURNING id",
            params![name, account_id, region, now],
            |row| row.get(0),
        )?)
    }

    /// Renames a target whose name is wanted by another account's.
    fn give_up_name(&self, holder: Option<Target>) -> Result<(), Failure> {
        let Some(holder) = holder else { return Ok(()) };
        let name = self.free_name(&holder.name, holder.account_id.as_ref())?;
        self.transaction
            .execute("UPDATE targets SET name = ?2 WHERE id = ?1", params![holder.id, name])?;
        Ok(())
    }

    /// A name for a target whose own is another account's: `<name>@<its account>`.
    pub(super) fn free_name(&self, name: &TargetName, account_id: Option<&AccountId>) -> Result<TargetName, Failure> {
        let account = account_id.map_or("unknown", |account| &account.0);
        let mut free = TargetName::from_stored(&format!("{name}@{account}"));
        // Taken only if it happened before to another row whose account was not known.
        let mut number = 1;
        while self.find_target(TARGET_BY_NAME, params![free])?.is_some() {
            number += 1;
            free = TargetName::from_stored(&format!("{name}@{account}-{number}"));
        }
        Ok(free)
    }

    fn find_target(&self, sql: &str, params: impl rusqlite::Params) -> Result<Option<Target>, Failure> {
        find_target(&self.transaction, sql, params)
    }

    pub(super) fn target(&self, id: TargetId) -> Result<Target, Failure> {
        self.find_target(TARGET_BY_ID, params![id])?
            .ok_or(Failure::NoSuchTarget(id))
    }

    /// Begins the target's first sweep at this time of the server's clock, and returns how far it is. One that was begun
    /// before keeps its time: what ended since then is news.
    pub fn begin_baseline(&self, target: TargetId, server_time: Timestamp) -> Result<Baseline, Failure> {
        self.transaction.execute(
            "UPDATE targets SET baseline_began_at = ?2 WHERE id = ?1 AND baseline_began_at IS NULL",
            params![target, server_time],
        )?;
        self.baseline(target)?.ok_or(Failure::NoBaseline(target))
    }

    /// Marks the first sweep as done: from now on, all that is new is news. Once done it stays so.
    pub fn complete_baseline(&self, target: TargetId, at: Timestamp) -> Result<(), Failure> {
        match self.baseline(target)? {
            None => Err(Failure::NoBaseline(target)),
            Some(Baseline::Complete(_)) => Ok(()),
            Some(Baseline::Since(_)) => {
                self.transaction.execute(
                    "UPDATE targets SET baseline_completed_at = ?2 WHERE id = ?1",
                    params![target, at],
                )?;
                Ok(())
            }
        }
    }

    /// How far the target's baseline is; `None`: not begun.
    pub(super) fn baseline(&self, target: TargetId) -> Result<Option<Baseline>, Failure> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT baseline_began_at, baseline_completed_at FROM targets WHERE id = ?1")?;
        let times: Option<(Option<Timestamp>, Option<Timestamp>)> = statement
            .query_row([target], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match times {
            None => Err(Failure::NoSuchTarget(target)),
            Some((began_at, Some(_))) => Ok(began_at.map(Baseline::Complete)),
            Some((began_at, None)) => Ok(began_at.map(Baseline::Since)),
        }
    }

    /// Remembers when targets were last looked at with success: after a stop, the gap begins there (law 7). Worth
    /// gathering: each call is a commit.
    pub fn looked(&self, looked: &[(TargetId, Timestamp)]) -> Result<(), Failure> {
        let mut statement = self.transaction.prepare_cached(
            "UPDATE targets SET last_looked_at = :at
             WHERE id = :target AND (last_looked_at IS NULL OR last_looked_at < :at)",
        )?;
        for (target, at) in looked {
            statement.execute(named_params! { ":target": target, ":at": at })?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "targets_tests.rs"]
mod tests;
