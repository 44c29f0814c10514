//! The model's words as SQLite values, so that no statement is handed a bare integer for an id or a bare string for a
//! token.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::model::{
    AccountId, ChangeKind, DeliveryId, DeliveryState, ErrorCode, FailureMode, HookStatus, Operation, Phase, Region,
    RequestStatus, RequestToken, Source, TargetId, TargetName, Timestamp,
};

/// The history's number for a request. Not public: outside, a request goes by target and token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RequestId(pub(super) i64);

/// The history's number for one invocation of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct HookId(pub(super) i64);

/// The history's number for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ChangeId(pub(super) i64);

/// The history's number for a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NoticeId(pub(super) i64);

macro_rules! as_integer {
    ($($id:ident),+) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }
    )+};
}
as_integer!(TargetId, RequestId, HookId, ChangeId, NoticeId, DeliveryId);

macro_rules! as_text {
    ($($word:ident: $from:expr),+ $(,)?) => {$(
        impl ToSql for $word {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $word {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str().map($from)
            }
        }
    )+};
}
as_text! {
    RequestStatus: Self::from,
    Operation: Self::from,
    ErrorCode: Self::from,
    HookStatus: Self::from,
    FailureMode: Self::from,
    ChangeKind: Self::from,
    RequestToken: Self::new,
    TargetName: Self::from_stored,
}

macro_rules! as_string {
    ($($name:ident),+) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.as_str().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                String::column_result(value).map(Self)
            }
        }
    )+};
}
as_string!(AccountId, Region);

impl ToSql for Source {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl ToSql for DeliveryState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl ToSql for Phase {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Phase {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        [Self::Open, Self::Finished, Self::Lost]
            .into_iter()
            .find(|phase| phase.as_str() == word)
            .ok_or_else(|| FromSqlError::Other(format!("no phase is called {word:?}").into()))
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_millis)
    }
}
