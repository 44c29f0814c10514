//! One living message for a request: its root shows the present state and is edited, and changes go into its thread.
//!
//! Tools differ in how they post and edit; when to do which is the same for all of them, and stands here.
//!
//! - **The first news posts the root.** The change follows in the thread only where the root does not say it already: a
//!   hook's fault, say, which the request's state does not show.
//! - **Later news edits the root, then posts the change.** In this order: an edit can be made twice without anyone
//!   noticing it, so that a failure of either is mended by doing both again.
//! - **A root that is gone is posted anew**, and the new reference reported.
//! - **A reference is not lost by what follows it.** It is reported with a failure of the second call too, and that call
//!   ends before the attempt is cut off. Only an answer that never came leaves a root of which nothing is known: the next
//!   attempt then posts another one, as at-least-once has it.
//! - News that is not about one request is a plain message.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout_at;

use crate::decide::retry::Outcome;
use crate::deliver::http::Answer;
use crate::deliver::receiver::{Attempt, Measure, Preview, Report};
use crate::model::ChangeKind;
use crate::render::{Message, Words};

/// How long before the deadline of its attempt a second call ends. More than the headroom that HTTP leaves: its own
/// report says more.
const HEADROOM: Duration = Duration::from_millis(20);

/// Why a change was not posted where its root was.
const NO_TIME_LEFT: &str =
    "the request's message was posted, and no time was left to tell the change; raise its `time_out`";

/// A tool in which messages can be edited and answered.
pub(super) trait Living: Sync {
    /// What is kept to find a root again.
    type Root: Serialize + DeserializeOwned + Send + Sync;

    /// Posts a message, in the thread of `root` if there is one.
    fn post(
        &self,
        words: &Words,
        root: Option<&Self::Root>,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Posted<Self::Root>, Trouble>> + Send;

    /// Has the root show these words.
    fn edit(
        &self,
        root: &Self::Root,
        words: &Words,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Answer, Trouble>> + Send;

    /// Whether a change is posted where the root has been edited. An edit notifies no one.
    fn is_told_apart(&self, words: &Words) -> bool {
        let _ = words;
        true
    }
}

/// What was posted.
pub(super) struct Posted<R> {
    /// `None` where the answer was cut off before it named the message.
    pub(super) root: Option<R>,
    pub(super) answer: Answer,
}

/// Why a message was not posted or edited.
pub(super) enum Trouble {
    /// The root is not there any more, or is not this receiver's: another one is needed.
    Gone,
    /// The root is there, and will not be edited any more.
    Frozen,
    Failed(Report),
}

impl From<Report> for Trouble {
    fn from(report: Report) -> Self {
        Self::Failed(report)
    }
}

impl From<Trouble> for Report {
    fn from(trouble: Trouble) -> Self {
        let error = match trouble {
            Trouble::Failed(report) => return report,
            Trouble::Gone => "its thread was removed while this was written; it will be tried again",
            Trouble::Frozen => "its message cannot be edited just now; it will be tried again",
        };
        Self::from(Outcome::Failed {
            error: error.to_owned(),
            retry_after: None,
        })
    }
}

/// Makes an attempt.
pub(super) async fn send<L: Living>(chat: &L, attempt: Attempt<'_>) -> Report {
    let message = attempt.message;
    let Some(present) = &message.present else {
        return told(chat.post(&message.words, None, attempt).await);
    };
    let kept = attempt.thread.and_then(|thread| serde_json::from_str(thread).ok());
    if let Some(root) = kept {
        match follow(chat, &root, present, attempt).await {
            Err(Trouble::Gone) => {}
            followed => return followed.unwrap_or_else(Report::from),
        }
    }
    let posted = match chat.post(present, None, attempt).await {
        Ok(posted) => posted,
        Err(trouble) => return trouble.into(),
    };
    let root = posted.root.as_ref();
    let mut report = if is_said_by_root(message) || !chat.is_told_apart(&message.words) {
        posted.answer.report(Outcome::Accepted)
    } else {
        in_time(attempt, async { told(chat.post(&message.words, root, attempt).await) }).await
    };
    report.thread = root.and_then(|root| serde_json::to_string(root).ok());
    report
}

/// What comes of telling a change after its root was posted. It ends before the attempt is cut off, which would lose the root, and
/// post another one.
pub(super) async fn in_time(attempt: Attempt<'_>, told: impl Future<Output = Report>) -> Report {
    let end = attempt.deadline.checked_sub(HEADROOM).unwrap_or(attempt.deadline);
    timeout_at(end, told).await.unwrap_or_else(|_| {
        Report::from(Outcome::Failed {
            error: NO_TIME_LEFT.to_owned(),
            retry_after: None,
        })
    })
}

async fn follow<L: Living>(chat: &L, root: &L::Root, present: &Words, attempt: Attempt<'_>) -> Result<Report, Trouble> {
    let words = &attempt.message.words;
    match chat.edit(root, present, attempt).await {
        Ok(answer) if !chat.is_told_apart(words) => return Ok(answer.report(Outcome::Accepted)),
        Ok(_) | Err(Trouble::Frozen) => {}
        Err(trouble) => return Err(trouble),
    }
    let posted = chat.post(words, Some(root), attempt).await?;
    Ok(posted.answer.report(Outcome::Accepted))
}

fn told<R>(posted: Result<Posted<R>, Trouble>) -> Report {
    match posted {
        Ok(posted) => posted.answer.report(Outcome::Accepted),
        Err(trouble) => trouble.into(),
    }
}

/// Whether the request's present state says all that the change does.
fn is_said_by_root(message: &Message<'_>) -> bool {
    message.news.change().is_some_and(|change| {
        matches!(change.kind, ChangeKind::RequestStatus | ChangeKind::RequestDetail)
            && change.to == change.request.status
    })
}

/// Both messages: the root if there is one, and the change, as `content` and `measures` have them.
pub(super) fn preview(
    message: &Message<'_>,
    content: impl Fn(&Words) -> String,
    measures: impl Fn(&Words) -> Vec<Measure>,
) -> Preview {
    let all: Vec<&Words> = message.present.iter().chain([&message.words]).collect();
    let contents: Vec<String> = all.iter().map(|words| content(words)).collect();
    Preview {
        content: contents.join("\n"),
        measures: all.into_iter().flat_map(measures).collect(),
    }
}

#[cfg(test)]
#[path = "living_tests.rs"]
mod tests;
