//! What the history holds, and what room it takes.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use crate::cli::Failure;
use crate::config::HistorySettings;
use crate::decide::retention;
use crate::history::Reader;
use crate::model::Timestamp;
use crate::statistics::{Growth, Size, bytes, rough, rounded, thousands};

#[derive(Debug, Serialize)]
pub(super) struct Holdings {
    #[serde(flatten)]
    size: Size,
    bytes_per_request: Option<u64>,
    /// An estimate, by the last 30 days.
    growth: Option<Growth>,
    /// What a configuration that was named says; `None` if none was.
    retention: Option<Kept>,
}

/// What a retention comes to.
#[derive(Debug, Serialize)]
struct Kept {
    /// `None`: for ever.
    retention_s: Option<u64>,
    /// Requests that started before that. Those of them that have ended are removed.
    requests_older: u64,
    /// What the history comes to in the long run, at the growth of late.
    expected_bytes: Option<u64>,
}

impl Holdings {
    pub(super) fn of(reader: &Reader, settings: Option<&HistorySettings>, now: Timestamp) -> Result<Self, Failure> {
        let size = reader.size(now)?;
        let kept_for = settings.and_then(|settings| settings.retention);
        let kept_for = kept_for.map(|kept_for| kept_for.max(retention::SHORTEST));
        let growth = size.growth(now, kept_for);
        let kept = |settings: &HistorySettings| {
            let Some(kept_for) = settings.retention else {
                return Ok(Kept {
                    retention_s: None,
                    requests_older: 0,
                    expected_bytes: None,
                });
            };
            Ok::<_, Failure>(Kept {
                retention_s: Some(kept_for.as_secs()),
                requests_older: reader.count_before(now.minus(kept_for.max(retention::SHORTEST)))?,
                expected_bytes: growth.map(|growth| growth.bytes_within(kept_for)),
            })
        };
        let retention = settings.map(kept).transpose()?;
        Ok(Self {
            size,
            bytes_per_request: size.bytes_per_request(),
            growth,
            retention,
        })
    }

    pub(super) fn tell(&self, out: &mut impl Write) -> Result<(), Failure> {
        let Size {
            file_bytes,
            wal_bytes,
            free_bytes,
            requests,
            events,
            events_estimated,
            oldest_at,
            ..
        } = self.size;
        let events = if events_estimated {
            format!("about {}", thousands(rounded(events)))
        } else {
            thousands(events)
        };
        let since = oldest_at.map_or(String::new(), |at| format!(", the oldest of {at}"));
        writeln!(
            out,
            "holds      {} requests, {events} ProgressEvents{since}",
            thousands(requests)
        )?;
        writeln!(
            out,
            "takes      {}, of which {} are free, and {} of write-ahead log",
            bytes(file_bytes),
            bytes(free_bytes),
            bytes(wal_bytes)
        )?;
        match (self.growth, self.bytes_per_request) {
            (Some(growth), Some(each)) => writeln!(
                out,
                "grows      by about {} a day: an estimate, of {:.1} requests a day of late and {} for each with all that \
                 hangs on it",
                bytes(growth.bytes_per_day),
                growth.requests_per_day,
                bytes(each)
            )?,
            _ => writeln!(out, "grows      it is too young to say how fast")?,
        }
        match &self.retention {
            None => {}
            Some(Kept { retention_s: None, .. }) => writeln!(out, "retention  for ever")?,
            Some(Kept {
                retention_s: Some(seconds),
                requests_older,
                expected_bytes,
            }) => {
                let expected = expected_bytes.map_or(String::new(), |expected| {
                    format!("; as it grows of late, it keeps about {}", bytes(expected))
                });
                writeln!(
                    out,
                    "retention  {}: {} requests are older{expected}",
                    rough(Duration::from_secs(*seconds)),
                    thousands(*requests_older)
                )?;
            }
        }
        Ok(())
    }
}
