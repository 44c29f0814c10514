//! What every receiver is: something that takes a message, and says whether it has it.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::decide::retry::Outcome;
use crate::model::Timestamp;
use crate::render::Message;

/// One attempt to deliver.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    pub message: &'a Message<'a>,
    /// What tells this delivery from all others: stays over retries, and is another one when the same news is replayed. For
    /// tools that throw away what they have seen. Letters, digits and dashes.
    pub idempotency_key: &'a str,
    /// What this receiver last reported as [`Report::thread`] for the request that the message is about.
    pub thread: Option<&'a str>,
    /// 1 for the first.
    pub number: u32,
    pub now: Timestamp,
    /// When the attempt is cut off.
    pub deadline: Instant,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub outcome: Outcome,
    /// What is to be kept for the next message about the same request, to find the thread again. `None`: what is kept
    /// stays. Kept with a failure too: a root that was posted is there, even if what should have followed it failed.
    pub thread: Option<String>,
    /// The answer, where there was one.
    pub answer: Option<Answered>,
}

/// What of an answer is kept for a person who looks for the cause. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// HTTP's or SMTP's, or a program's exit code.
    pub status: Option<u16>,
    /// Its first KiB at the most, printable.
    pub said: String,
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            thread: None,
            answer: None,
        }
    }
}

/// What would be sent, for `ccwatch notify preview` and `ccwatch backtest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Readable by people: JSON is indented. Holds no secret.
    pub content: String,
    /// What of it is limited by the receiver's documentation.
    pub measures: Vec<Measure>,
}

/// A part of a message, held against its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// `title`, `message`, `body`, …
    pub part: &'static str,
    /// Before anything is cut. What is longer than `limit` is sent cut.
    pub size: usize,
    pub limit: usize,
    /// `characters`, `bytes`
    pub unit: &'static str,
}

/// A send under way. Boxed, so that receivers of every kind stand in one list.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Report> + Send + 'a>>;

/// How fast a receiver may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Sends under way at once, at least 1.
    pub concurrency: usize,
    /// The least time from the start of one send to the start of the next, once `burst` of them were started.
    pub spacing: Duration,
    /// Sends that may start without a pause after a quiet time, at least 1. Each is paid for by `spacing` later on.
    pub burst: u32,
}

impl Pace {
    /// One at a time, `spacing` apart.
    pub const fn one_by_one(spacing: Duration) -> Self {
        Self {
            concurrency: 1,
            spacing,
            burst: 1,
        }
    }

    /// So many at a time, without a pause.
    pub const fn at_once(concurrency: usize) -> Self {
        Self {
            concurrency,
            spacing: Duration::ZERO,
            burst: 1,
        }
    }
}

/// Sends to one place.
///
/// `send` never panics, and never takes its own time limit: [`Destination`](super::Destination) drops the future when
/// the time is up, or when ccwatch stops, and dropping it must end whatever it had started. Its outcome is
/// [`Rejected`](Outcome::Rejected) only where the receiver itself has judged the message or its address for good;
/// whatever a person may mend within a day (a revoked permission, a program not yet installed, a full disk) is
/// [`Failed`](Outcome::Failed), so that nothing is lost by it. Errors name the remedy, and hold no secret.
///
/// `Debug` must not show secrets either: what is secret lies in a `SecretString`.
pub trait Receiver: Debug + Send + Sync {
    /// As the tool's documentation allows; `max_messages_per_minute` may slow it down.
    fn pace(&self) -> Pace;

    /// What would be sent. Calls no one.
    fn preview(&self, message: &Message<'_>) -> Preview;

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a>;
}
