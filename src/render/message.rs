//! A message: news, with the words for it.

use serde::Serialize;

use super::{digest, notice, present, words};
use crate::model::{EventId, News};

/// How the news is to be felt: what colour or sign a tool gives it. The worst comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Good,
    /// On its way.
    Neutral,
    /// Not as wished, and nothing is stopped by it.
    Warning,
    Bad,
}

impl Tone {
    /// A sign for it, for tools that show text alone.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Good => "✅",
            Self::Neutral => "🔹",
            Self::Warning => "⚠️",
            Self::Bad => "❌",
        }
    }
}

/// A labelled value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    pub label: &'static str,
    pub value: String,
}

/// Where to look further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    pub label: &'static str,
    /// An https address.
    pub url: String,
}

/// News in words. All but `body` are one line, and all are printable. Serialized, they are what templates see of them, so
/// that their names are public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    pub tone: Tone,
    /// What happened, in a sentence: `CREATE AWS::S3::Bucket failed`. Never empty.
    pub title: String,
    /// What it happened to: `CREATE AWS::S3::Bucket my-bucket`.
    pub about: String,
    /// The hook it is about: `hook Acme::S3::Guard (WARN)`.
    pub hook: Option<String>,
    /// `IN_PROGRESS → FAILED`, in the service's words.
    pub status: String,
    /// A template's own text, of one or many lines. Stands in place of all that follows but the link.
    #[serde(skip)]
    pub body: Option<String>,
    /// Why, in the service's words: `AlreadyExists: my-bucket already exists`.
    pub reason: Option<String>,
    /// What that means and what is usually to be done, where the words above do not say so themselves.
    pub meaning: Option<String>,
    /// Who, what, where, how long; the most telling first, no more than ten.
    pub facts: Vec<Fact>,
    /// Single changes of a digest, a line each, the worst first.
    pub items: Vec<String>,
    pub link: Option<Link>,
}

/// What is handed to a receiver: the news for machines, and words for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<'n> {
    pub news: &'n News,
    pub words: Words,
    /// The present state of the request that the news is about: what a living message shows. `None` where it is not about
    /// one request.
    pub present: Option<Words>,
    /// What a `payload` template makes of it, for `webhook` and `exec`.
    pub payload: Option<String>,
}

impl<'n> Message<'n> {
    /// With ccwatch's own words.
    pub fn new(news: &'n News) -> Self {
        let (words, present) = match news {
            News::Change(announcement) => {
                let present = present::words(&present::announcement(announcement));
                (words::words(announcement), Some(present))
            }
            News::Digest(digest) => (digest::words(digest), None),
            News::Receiver(notice) => (notice::words(notice), None),
        };
        Self {
            news,
            words,
            present,
            payload: None,
        }
    }

    /// Stays over retries.
    pub fn id(&self) -> &'n EventId {
        self.news.id()
    }

    /// Whether the request's present state says all that this news does, so that a living message which shows it need not
    /// be followed by a reply. A hook's finding, say, stands in no request's state.
    pub fn is_told_by_present(&self) -> bool {
        let told = |words: &Words| {
            (
                words.tone,
                words.reason.clone(),
                words.meaning.clone(),
                words.body.clone(),
            )
        };
        let Self { words, present, .. } = self;
        words.hook.is_none() && present.as_ref().is_some_and(|present| told(present) == told(words))
    }

    /// What a thread is about: the same for all news of one request, and for no other. `None` where it is not about one
    /// request.
    pub fn thread_key(&self) -> Option<String> {
        let announcement = self.news.change()?;
        Some(format!(
            "{}/{}",
            announcement.target, announcement.request.request_token
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Announcement, ChangeKind};
    use crate::render::samples::{digest, failed_hook, failed_request};

    fn is_told(announcement: Announcement) -> bool {
        Message::new(&News::Change(Box::new(announcement))).is_told_by_present()
    }

    #[test]
    fn a_requests_state_tells_its_end_and_neither_hooks_nor_what_is_not_known() {
        assert!(is_told(failed_request()));
        assert!(!is_told(failed_hook("WARN")));
        let mut lost = failed_request();
        (lost.kind, lost.to) = (ChangeKind::RequestLost, None);
        assert!(!is_told(lost));
        // It went on meanwhile.
        let mut earlier = failed_request();
        (earlier.to, earlier.error_code, earlier.message) = (Some("IN_PROGRESS".into()), None, None);
        assert!(!is_told(earlier));
        assert!(!Message::new(&News::Digest(Box::new(digest()))).is_told_by_present());
    }
}
