//! What the receivers of incidents share: which incident news is about, and what is said of it to whoever is called.

use crate::decide::retry::Outcome;
use crate::deliver::http::Answer;
use crate::model::{EventId, Incident, IncidentState, News, ReceiverNotice};
use crate::render::Words;

/// The incident that the news is about.
///
/// The history puts nothing into these receivers' outbox but what opens or resolves an incident. A notice about a
/// receiver has none of its own: its incident is that this receiver fails. Whatever else comes, from `ccwatch notify
/// test` say, opens one for itself alone, which a person closes.
pub(super) fn of(news: &News) -> Incident {
    let alone = |id: &EventId| Incident {
        key: id.0.clone(),
        state: IncidentState::Open,
    };
    match news {
        News::Change(announcement) => announcement.incident.clone().unwrap_or_else(|| alone(&announcement.id)),
        News::Digest(digest) => alone(&digest.id),
        News::Receiver(notice) => Incident {
            key: key_of(notice),
            state: if notice.is_failing {
                IncidentState::Open
            } else {
                IncidentState::Resolved
            },
        },
    }
}

/// Told apart by the history's id, which stands before the notice's number: two ccwatch may share a tool.
fn key_of(notice: &ReceiverNotice) -> String {
    let history = notice.id.0.rsplit_once("-n").map_or("", |(history, _)| history);
    format!("ccwatch-{history}-receiver-{}", notice.receiver)
}

/// The one line that a phone shows.
pub(super) fn headline(words: &Words) -> String {
    match (&words.body, &words.reason) {
        (None, Some(reason)) => format!("{}: {reason}", words.title),
        _ => words.title.clone(),
    }
}

/// What is said beside the facts, a line each; never empty.
pub(super) fn description(words: &Words) -> String {
    let lines: Vec<&str> = match &words.body {
        Some(body) => vec![body],
        None => [&words.reason, &words.meaning]
            .into_iter()
            .flatten()
            .chain(&words.items)
            .map(String::as_str)
            .collect(),
    };
    match lines.join("\n") {
        text if text.trim().is_empty() => words.status.clone(),
        text => text,
    }
}

/// What an answer means that the tool itself did not write, in its own JSON say. It comes from someone between, a proxy
/// or a portal, and no refusal of theirs is for good.
pub(super) fn outcome_of_a_strangers(answer: &Answer, tool: &str) -> Outcome {
    match answer.outcome() {
        Outcome::Accepted | Outcome::Rejected { .. } => answer.failed(&format!(
            "that is not how {tool} answers: check `url`, and the proxy; it will be tried again"
        )),
        failed @ Outcome::Failed { .. } => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::samples::{failed_request, incident};
    use crate::render::Message;
    use crate::render::samples::{digest, every_kind, notice};

    #[test]
    fn a_change_has_its_own_key_a_notice_its_receivers_and_all_else_its_id() {
        let change = |announcement| of(&News::Change(Box::new(announcement)));
        let known = Incident {
            key: "k".into(),
            state: IncidentState::Resolved,
        };
        assert_eq!(change(incident(failed_request(), "k", IncidentState::Resolved)), known);
        let open = |key: &str| Incident {
            key: key.into(),
            state: IncidentState::Open,
        };
        assert_eq!(change(failed_request()), open("01JD8Z-7"));
        assert_eq!(of(&News::Digest(Box::new(digest()))), open("01JD8Z-7-53"));
        let [failing, recovered] = [true, false].map(|is_failing| of(&News::Receiver(Box::new(notice(is_failing)))));
        assert_eq!(failing, open("ccwatch-01JD8Z-receiver-chat"));
        assert_eq!((recovered.key, recovered.state), (failing.key, IncidentState::Resolved));
    }

    #[test]
    fn whatever_the_news_there_is_a_headline_and_a_description() {
        for news in every_kind() {
            let words = Message::new(&news).words;
            assert!(headline(&words).starts_with(&words.title));
            assert!(!description(&words).is_empty());
        }
        let news = News::Change(Box::new(failed_request()));
        let mut words = Message::new(&news).words;
        words.body = Some("Call Ada.\nOr Grace.".into());
        assert_eq!(headline(&words), words.title);
        assert_eq!(description(&words), "Call Ada.\nOr Grace.");
    }
}
