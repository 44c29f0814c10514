//! Tells the service manager how things stand, as `systemctl status` shows it.
//!
//! It reads the history only after something was written that moves a number, and no oftener than people read.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::joints::HistoryMemory;
use super::service_manager::ServiceManager;
use crate::history::{Brief, History, HistoryError};
use crate::model::counted;

const AT_MOST_EVERY: Duration = Duration::from_secs(5);

/// Tells of `targets` targets and what was seen in them, until `stop`.
pub(super) async fn tell(
    history: History,
    memory: HistoryMemory,
    targets: usize,
    service_manager: ServiceManager,
    stop: CancellationToken,
) -> Result<(), HistoryError> {
    if !service_manager.listens() {
        stop.cancelled().await;
        return Ok(());
    }
    let mut told = String::new();
    let tell = |text: String| {
        if text != told {
            service_manager.status(&text);
            told = text;
        }
    };
    follow(&history, &memory, targets, tell, &stop).await
}

async fn follow(
    history: &History,
    memory: &HistoryMemory,
    targets: usize,
    mut tell: impl FnMut(String),
    stop: &CancellationToken,
) -> Result<(), HistoryError> {
    let mut moved = memory.moved();
    loop {
        moved.mark_unchanged();
        match history.brief().await {
            Ok(brief) => tell(sentence(targets, memory.open_gaps(), brief)),
            Err(error) if error.may_pass() => debug!(%error, "how things stand can't be asked for now"),
            Err(error) => return Err(error),
        }
        let next = async {
            tokio::time::sleep(AT_MOST_EVERY).await;
            // It is never closed: the memory is ours.
            let _ = moved.changed().await;
        };
        tokio::select! {
            () = next => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// `3 targets, 1 of them not looked at; 12 requests open; 4 deliveries waiting`
fn sentence(targets: usize, open_gaps: usize, brief: Brief) -> String {
    let gaps = match open_gaps {
        0 => String::new(),
        gaps => format!(", {gaps} of them not looked at"),
    };
    let targets = counted(targets, "target");
    let open = bounded(brief.open, "request");
    let waiting = bounded(brief.waiting, "delivery");
    format!("{targets}{gaps}; {open} open; {waiting} waiting")
}

/// Of what is counted up to the limit.
fn bounded(count: u32, noun: &str) -> String {
    let or_more = if count == Brief::LIMIT { " or more" } else { "" };
    format!("{}{or_more}", counted(count as usize, noun))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::clock::Clock;
    use crate::model::{Region, TargetName, Timestamp};
    use crate::watch::Memory;

    #[test]
    fn it_says_what_there_is_and_what_is_wrong() {
        let brief = |open, waiting| Brief { open, waiting };
        assert_eq!(
            sentence(3, 1, brief(12, 4)),
            "3 targets, 1 of them not looked at; 12 requests open; 4 deliveries waiting"
        );
        assert_eq!(
            sentence(1, 0, brief(1, 1)),
            "1 target; 1 request open; 1 delivery waiting"
        );
        assert_eq!(
            sentence(2, 0, brief(0, Brief::LIMIT)),
            "2 targets; 0 requests open; 100000 deliveries or more waiting"
        );
    }

    /// Within a minute a target is lost and found many times.
    #[tokio::test(start_paused = true)]
    async fn it_is_told_when_something_moved_and_at_most_every_few_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let clock = Clock::simulated(Timestamp::from_millis(1_800_000_000_000));
        let memory = HistoryMemory::new(history.clone(), Arc::default(), tokio::sync::watch::Sender::new(()));
        let region = Region("eu-west-1".into());
        let name = TargetName::new("prod", &region);
        let registered = memory.register(&name, None, &region, clock.now()).await.unwrap();
        let target = registered.target.id;
        let (told, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let following = tokio::spawn({
            let (history, memory, told, stop) = (history.clone(), memory.clone(), told.clone(), stop.clone());
            async move {
                let tell = |text| told.lock().unwrap().push(text);
                follow(&history, &memory, 1, tell, &stop).await
            }
        });
        tokio::time::sleep(10 * AT_MOST_EVERY).await;
        assert_eq!(told.lock().unwrap().len(), 1, "nothing has moved");
        for _ in 0..60 {
            memory.open_gap(target, clock.now(), "no route".into()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
            memory.close_gap(target, clock.now()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let many = told.lock().unwrap().len();
        assert!((10..=15).contains(&many), "{many}");
        memory.open_gap(target, clock.now(), "no route".into()).await.unwrap();
        tokio::time::sleep(2 * AT_MOST_EVERY).await;
        assert_eq!(
            told.lock().unwrap().last().unwrap(),
            "1 target, 1 of them not looked at; 0 requests open; 0 deliveries waiting"
        );
        stop.cancel();
        following.await.unwrap().unwrap();
    }
}
