use std::sync::Mutex;

use http::StatusCode;
use tokio::time::Instant;

use super::*;
use crate::deliver::samples::{attempt, failed_hook, failed_request};
use crate::model::{Announcement, News};
use crate::render::Tone;
use crate::render::samples::notice;

/// A tool that remembers what was asked of it.
#[derive(Default)]
struct Chat {
    asked: Mutex<Vec<String>>,
    /// What editing comes to.
    edit: Option<fn() -> Trouble>,
    /// What answering comes to.
    reply: Option<fn() -> Trouble>,
    /// Answering never ends.
    hangs: bool,
    /// Answers are cut off.
    is_mute: bool,
    only_trouble_is_told_apart: bool,
}

impl Chat {
    fn ask(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    async fn send(&self, announcement: &Announcement, thread: Option<&str>) -> (Report, Vec<String>) {
        let news = News::Change(Box::new(announcement.clone()));
        let message = Message::new(&news);
        let report = send(self, attempt(&message, thread)).await;
        (report, std::mem::take(&mut *self.asked.lock().unwrap()))
    }
}

fn answer() -> Answer {
    Answer {
        host: "chat.example".into(),
        status: StatusCode::OK,
        retry_after: None,
        body: "ok".into(),
        is_whole: true,
        raw: Vec::new(),
    }
}

impl Living for Chat {
    type Root = u32;

    async fn post(&self, words: &Words, root: Option<&u32>, _: Attempt<'_>) -> Result<Posted<u32>, Trouble> {
        self.ask(match root {
            Some(root) => format!("answer {root}: {}", words.title),
            None => format!("post: {}", words.title),
        });
        if root.is_some() {
            if self.hangs {
                std::future::pending::<()>().await;
            }
            if let Some(trouble) = self.reply {
                return Err(trouble());
            }
        }
        Ok(Posted {
            root: (!self.is_mute).then_some(7),
            answer: answer(),
        })
    }

    async fn edit(&self, root: &u32, words: &Words, _: Attempt<'_>) -> Result<Answer, Trouble> {
        self.ask(format!("edit {root}: {}", words.title));
        self.edit.map_or_else(|| Ok(answer()), |trouble| Err(trouble()))
    }

    fn is_told_apart(&self, words: &Words) -> bool {
        !self.only_trouble_is_told_apart || words.tone >= Tone::Warning
    }
}

const ROOT: &str = "CREATE AWS::S3::Bucket my-bucket failed";
const CHANGE: &str = "CREATE AWS::S3::Bucket failed";
const HOOK: &str = "Hook Acme::S3::Guard found fault on CREATE AWS::S3::Bucket";

fn failure() -> Trouble {
    Trouble::Failed(Report::from(Outcome::Failed {
        error: "503".into(),
        retry_after: None,
    }))
}

#[tokio::test]
async fn the_first_news_posts_the_root_which_says_it() {
    let (report, asked) = Chat::default().send(&failed_request(), None).await;
    assert_eq!(asked, [format!("post: {ROOT}")]);
    assert_eq!(
        (report.outcome, report.thread.as_deref()),
        (Outcome::Accepted, Some("7"))
    );
    assert_eq!(report.answer.unwrap().said, "ok");
}

#[tokio::test]
async fn what_the_root_does_not_say_follows_in_its_thread() {
    let (report, asked) = Chat::default().send(&failed_hook("WARN"), None).await;
    assert_eq!(asked, [format!("post: {ROOT}"), format!("answer 7: {HOOK}")]);
    assert_eq!(
        (report.outcome, report.thread.as_deref()),
        (Outcome::Accepted, Some("7"))
    );
    // Told late: the request has gone on since.
    let mut late = failed_request();
    late.to = Some("IN_PROGRESS".into());
    let (_, asked) = Chat::default().send(&late, None).await;
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn later_news_edits_the_root_and_answers_it() {
    let (report, asked) = Chat::default().send(&failed_request(), Some("7")).await;
    assert_eq!(asked, [format!("edit 7: {ROOT}"), format!("answer 7: {CHANGE}")]);
    assert_eq!((report.outcome, report.thread), (Outcome::Accepted, None));
}

#[tokio::test]
async fn a_root_that_is_gone_or_unreadable_is_posted_anew() {
    let chat = Chat {
        edit: Some(|| Trouble::Gone),
        ..Chat::default()
    };
    let (report, asked) = chat.send(&failed_request(), Some("3")).await;
    assert_eq!(asked, [format!("edit 3: {ROOT}"), format!("post: {ROOT}")]);
    assert_eq!(report.thread.as_deref(), Some("7"));
    let (report, asked) = Chat::default().send(&failed_request(), Some("{\"older\":1}")).await;
    assert_eq!(asked, [format!("post: {ROOT}")]);
    assert_eq!(report.thread.as_deref(), Some("7"));
}

#[tokio::test]
async fn a_root_that_goes_while_it_is_answered_is_posted_anew_and_a_hasty_one_is_reported() {
    let chat = Chat {
        reply: Some(|| Trouble::Gone),
        ..Chat::default()
    };
    let (report, asked) = chat.send(&failed_hook("WARN"), Some("3")).await;
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
    assert_eq!(report.thread.as_deref(), Some("7"));
}

#[tokio::test]
async fn a_frozen_root_is_left_as_it_is_and_answered() {
    let chat = Chat {
        edit: Some(|| Trouble::Frozen),
        only_trouble_is_told_apart: true,
        ..Chat::default()
    };
    let mut good = failed_request();
    good.to = Some("SUCCESS".into());
    let (report, asked) = chat.send(&good, Some("7")).await;
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(report.outcome, Outcome::Accepted);
}

#[tokio::test]
async fn a_failed_edit_ends_the_attempt() {
    let chat = Chat {
        edit: Some(failure),
        ..Chat::default()
    };
    let (report, asked) = chat.send(&failed_request(), Some("7")).await;
    assert_eq!(asked, [format!("edit 7: {ROOT}")]);
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
    assert_eq!(report.thread, None);
}

#[tokio::test]
async fn a_new_root_is_reported_even_if_what_follows_fails() {
    let chat = Chat {
        reply: Some(failure),
        ..Chat::default()
    };
    let (report, _) = chat.send(&failed_hook("WARN"), None).await;
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
    assert_eq!(report.thread.as_deref(), Some("7"));
}

#[tokio::test(start_paused = true)]
async fn a_new_root_is_reported_even_if_what_follows_takes_too_long() {
    let chat = Chat {
        hangs: true,
        ..Chat::default()
    };
    let news = News::Change(Box::new(failed_hook("WARN")));
    let message = Message::new(&news);
    let attempt = attempt(&message, None);
    let report = send(&chat, attempt).await;
    assert!(Instant::now() < attempt.deadline);
    assert!(matches!(report.outcome, Outcome::Failed { error, .. } if error.contains("`time_out`")));
    assert_eq!(report.thread.as_deref(), Some("7"));
}

#[tokio::test]
async fn where_the_answer_does_not_name_the_root_the_change_is_told_by_itself() {
    let chat = Chat {
        is_mute: true,
        ..Chat::default()
    };
    let (report, asked) = chat.send(&failed_hook("WARN"), None).await;
    assert_eq!(asked, [format!("post: {ROOT}"), format!("post: {HOOK}")]);
    assert_eq!((report.outcome, report.thread), (Outcome::Accepted, None));
}

#[tokio::test]
async fn where_answers_are_for_trouble_alone_the_rest_is_an_edit() {
    let chat = Chat {
        only_trouble_is_told_apart: true,
        ..Chat::default()
    };
    let mut good = failed_request();
    good.to = Some("SUCCESS".into());
    let (_, asked) = chat.send(&good, Some("7")).await;
    assert_eq!(asked, [format!("edit 7: {ROOT}")]);
    let (_, asked) = chat.send(&failed_hook("WARN"), Some("7")).await;
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn what_is_not_about_one_request_is_a_plain_message() {
    let news = News::Receiver(Box::new(notice(true)));
    let message = Message::new(&news);
    let chat = Chat::default();
    let report = send(&chat, attempt(&message, None)).await;
    assert_eq!(chat.asked.lock().unwrap().len(), 1);
    assert_eq!((report.outcome, report.thread), (Outcome::Accepted, None));
}
