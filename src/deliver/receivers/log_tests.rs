use std::sync::mpsc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::deliver::samples::{failed_hook, failed_request, hostile, send};
use crate::model::Announcement;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn written(format: LogFormat, is_coloured: bool, announcement: &Announcement) -> String {
    let written = Written::default();
    let log = Log::new(format, Output::new(written.clone(), is_coloured));
    assert_eq!(send(&log, announcement).await.outcome, Outcome::Accepted);
    String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_line_for_people() {
    assert_eq!(
        written(LogFormat::Text, false, &failed_request()).await,
        "2025-11-22T06:28:00.123Z prod/eu-west-1 CREATE AWS::S3::Bucket my-bucket IN_PROGRESS → FAILED \
         AlreadyExists: my-bucket already exists [73553e7d-token]\n"
    );
    assert_eq!(
        written(LogFormat::Text, false, &failed_hook("WARN")).await,
        "2025-11-22T06:28:00.123Z prod/eu-west-1 CREATE AWS::S3::Bucket my-bucket hook Acme::S3::Guard (WARN) \
         HOOK_IN_PROGRESS → HOOK_COMPLETE_FAILED bucket is not encrypted [73553e7d-token]\n"
    );
}

#[test]
fn a_line_for_the_journal_has_no_time_of_its_own_unless_it_comes_late() {
    let news = News::Change(Box::new(failed_request()));
    assert!(super::text(&Message::new(&news), false, false).starts_with("prod/eu-west-1 CREATE "));
    assert!(!is_late(&news, news.at().plus(LATE)));
    assert!(is_late(&news, news.at().plus(LATE + Duration::from_secs(1))));
    // A clock that was set back meanwhile.
    assert!(!is_late(&news, news.at().minus(LATE)));
}

#[tokio::test]
async fn colours_only_where_they_are_wanted() {
    let coloured = written(LogFormat::Text, true, &failed_request()).await;
    assert!(
        coloured.contains("\u{1b}[1m\u{1b}[31mIN_PROGRESS → FAILED\u{1b}[0m"),
        "{coloured:?}"
    );
    assert!(
        !written(LogFormat::Json, true, &failed_request())
            .await
            .contains('\u{1b}')
    );
}

#[tokio::test]
async fn a_line_for_machines() {
    let line = written(LogFormat::Json, false, &failed_request()).await;
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["id"], "01JD8Z-7");
    assert_eq!(value["kind"], "request.status");
    assert_eq!(value["request"]["request_token"], "73553e7d-token");
}

proptest! {
    #[test]
    fn whatever_comes_is_one_harmless_line_and_json_loses_nothing(text in "[\u{0}-\u{ff}\u{2028}\u{202e}\u{feff}😀]{0,40}") {
        let news = News::Change(Box::new(hostile(&text)));
        let people = super::text(&Message::new(&news), false, true);
        let machines = json(&news).unwrap();
        for line in [&people, &machines] {
            let body = line.strip_suffix('\n').unwrap();
            prop_assert_eq!(&printable(body), body);
        }
        let value: Value = serde_json::from_str(&machines).unwrap();
        prop_assert_eq!(value["message"].as_str(), Some(text.as_str()));
    }
}

#[tokio::test]
async fn a_closed_pipe_is_a_failure_and_no_more() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let log = Log::new(LogFormat::Text, Output::new(writer, false));
    let outcome = send(&log, &failed_request()).await.outcome;
    let Outcome::Failed { error, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(error.contains("Broken pipe"), "{error}");
}

/// Writes nothing until its channel is closed.
struct Blocked {
    begun: mpsc::SyncSender<()>,
    until: mpsc::Receiver<()>,
}

impl Write for Blocked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.begun.try_send(());
        let _ = self.until.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn while_nobody_reads_further_lines_fail_at_once() {
    let ((begun, has_begun), (release, until)) = (mpsc::sync_channel(1), mpsc::sync_channel(0));
    let log = Arc::new(Log::new(LogFormat::Text, Output::new(Blocked { begun, until }, false)));
    let first = tokio::spawn({
        let log = log.clone();
        async move { send(&*log, &failed_request()).await.outcome }
    });
    tokio::task::spawn_blocking(move || has_begun.recv())
        .await
        .unwrap()
        .unwrap();
    let outcome = send(&*log, &failed_request()).await.outcome;
    let Outcome::Failed { error, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(error.contains("does anyone read it?"), "{error}");
    drop::<mpsc::SyncSender<()>>(release);
    assert_eq!(first.await.unwrap(), Outcome::Accepted);
}
