//! The program as a process: real ports, real signals.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use ccwatch::clock::Clock;
use ccwatch::simulator::{Faults, Scenario, Simulator, http};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A key for Standard Webhooks: 24 bytes, as the specification asks for at least.
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A webhook that keeps the ids of what it was sent, and accepts what is signed.
#[derive(Clone, Default)]
struct Hook {
    ids: Arc<Mutex<Vec<String>>>,
    forged: Arc<Mutex<usize>>,
}

impl Hook {
    async fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let hook = self.clone();
        let receive = move |headers: HeaderMap, body: Bytes| {
            let hook = hook.clone();
            async move {
                let webhook = standardwebhooks::Webhook::new(WEBHOOK_SECRET).unwrap();
                if webhook.verify(&body, &headers).is_err() {
                    *hook.forged.lock().unwrap() += 1;
                }
                hook.ids
                    .lock()
                    .unwrap()
                    .push(headers["webhook-id"].to_str().unwrap().to_owned());
            }
        };
        let router = Router::new().route("/hook", post(receive));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }
}

pub(crate) struct World {
    folder: TempDir,
    simulator: Simulator,
    endpoint: String,
    stop: CancellationToken,
}

impl World {
    pub(crate) async fn new(scenario: Scenario) -> Self {
        let clock = Clock::system();
        let scenario = Scenario {
            region: "eu-west-1".into(),
            ..scenario
        };
        let simulator = Simulator::new(scenario, 1, clock.now());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(http::serve(listener, simulator.clone(), clock, stop.clone()));
        Self {
            folder: tempfile::tempdir().unwrap(),
            simulator,
            endpoint,
            stop,
        }
    }

    fn history(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    pub(crate) fn configure(&self, rest: &str) -> PathBuf {
        let path = self.folder.path().join("ccwatch.toml");
        let text = format!(
            r#"
            [history]
            path = "history.db"
            [poll]
            discover_every = "500ms"
            idle_every = "2s"
            sweep_every = "3s"
            min_look_every = "250ms"
            max_look_every = "2s"
            max_calls_per_second = 25
            [[targets]]
            name = "good"
            regions = "eu-west-1"
            account_id = "123456789012"
            endpoint_url = "{}"
            {rest}
            "#,
            self.endpoint
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Whether the history is there with its schema, which is made in one transaction after the file.
    fn has_history(&self) -> bool {
        self.history().exists() && self.query::<i64>("PRAGMA user_version")[0] > 0
    }

    /// Read-only, as anyone may while a daemon writes.
    pub(crate) fn query<T: rusqlite::types::FromSql>(&self, sql: &str) -> Vec<T> {
        let connection = Connection::open_with_flags(self.history(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn run(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
    command
        .args(["run", "--config"])
        .arg(config)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "AKIASIMULATED")
        .env("AWS_SECRET_ACCESS_KEY", "simulated")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn terminate(mut child: Child) -> (Option<i32>, String) {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    (child.wait().unwrap().code(), log)
}

/// Waits until `done`, for a minute at the most.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..600 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited for a minute in vain: {what}");
}

/// A minute with two SIGKILLs. Each change reaches the webhook, and only one that was sent but not yet marked when the
/// kill came reaches it twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twice_in_a_minute_it_forgets_nothing_and_repeats_only_what_it_must() {
    let world = World::new(Scenario {
        arrivals_per_second: 3.0,
        ..Scenario::lively()
    })
    .await;
    let hook = Hook::default();
    let url = hook.clone().serve().await;
    let config = world.configure(&format!(
        r#"
        [[receivers]]
        name = "hook"
        type = "webhook"
        url = "{url}"
        secret = "{WEBHOOK_SECRET}"
        [[routes]]
        name = "everything"
        to = "hook"
        "#
    ));
    let mut may_repeat = BTreeSet::new();
    let mut child = run(&config).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(20)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        // What had been sent and is not marked: the kill fell between the two. The webhook may still be reading what was
        // in flight.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let pending: BTreeSet<i64> = world
            .query("SELECT change_id FROM v_deliveries WHERE state = 'pending'")
            .into_iter()
            .collect();
        let ids = hook.ids.lock().unwrap().clone();
        may_repeat.extend(ids.into_iter().filter(|id| {
            let change: i64 = id.rsplit_once('-').unwrap().1.parse().unwrap();
            pending.contains(&change)
        }));
        child = run(&config).stderr(Stdio::null()).spawn().unwrap();
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    let settled = Clock::system().now().minus(Duration::from_secs(8));
    until("the outbox to empty", || {
        world.query::<i64>("SELECT count(*) FROM v_deliveries WHERE state = 'pending'") == [0]
    })
    .await;
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // Traffic goes on, so the very last changes may rightly still wait: one more run sends them, with nothing new to see.
    let waiting = || world.query::<i64>("SELECT count(*) FROM v_deliveries WHERE state = 'pending'") != [0];
    if waiting() {
        world.simulator.set_faults(Faults {
            server_errors: 1.0,
            ..Faults::default()
        });
        let child = run(&config).spawn().unwrap();
        until("the last deliveries", || !waiting()).await;
        assert_eq!(terminate(child).0, Some(0));
    }

    // The history holds every request with its true end.
    let known: BTreeMap<String, String> = {
        let tokens: Vec<String> = world.query("SELECT request_token FROM v_requests ORDER BY 1");
        let statuses: Vec<String> = world.query("SELECT status FROM v_requests ORDER BY request_token");
        tokens.into_iter().zip(statuses).collect()
    };
    let truth = world.simulator.truth().requests();
    let ended: Vec<_> = truth
        .iter()
        .filter(|(_, truth)| truth.finished_at.is_some_and(|at| at < settled))
        .collect();
    assert!(ended.len() > 50, "{}", ended.len());
    for (token, truth) in ended {
        assert_eq!(
            known.get(&token.to_string()).map(String::as_str),
            Some(truth.status.as_str()),
            "{token}"
        );
    }
    assert_eq!(world.simulator.calls().early_looks(), 0);

    // The webhook got every change, signed, and nothing twice that it need not.
    let ids = hook.ids.lock().unwrap().clone();
    let unique: BTreeSet<_> = ids.iter().cloned().collect();
    let changes: Vec<i64> = world.query("SELECT id FROM v_changes");
    assert_eq!(unique.len(), changes.len());
    let states: Vec<String> = world.query("SELECT DISTINCT state FROM v_deliveries");
    assert_eq!(states, ["sent"]);
    assert_eq!(*hook.forged.lock().unwrap(), 0);
    let mut seen = BTreeSet::new();
    for id in ids {
        assert!(
            seen.insert(id.clone()) || may_repeat.contains(&id),
            "{id} was sent twice for nothing"
        );
    }
}

/// The good target goes on; the bad one is told of once, with its remedy, and is a gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_target_holds_up_none_of_the_others() {
    let world = World::new(Scenario {
        arrivals_per_second: 3.0,
        ..Scenario::lively()
    })
    .await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = world.configure(&format!(
        r#"
        [[targets]]
        name = "bad"
        regions = "eu-west-2"
        account_id = "123456789012"
        endpoint_url = "http://{closed}"
        "#
    ));
    let child = run(&config).spawn().unwrap();
    until("requests of the good target and a gap of the bad one", || {
        world.has_history()
            && world.query::<i64>("SELECT count(*) FROM v_requests WHERE open = 0")[0] > 5
            && world.query::<String>("SELECT target FROM v_gaps") == ["bad/eu-west-2"]
    })
    .await;
    let (code, log) = terminate(child);
    assert_eq!(code, Some(0), "{log}");
    let told: Vec<_> = log.lines().filter(|line| line.contains("bad/eu-west-2")).collect();
    assert_eq!(told.len(), 1, "{log}");
    assert!(told[0].contains("check the network"), "{log}");
}

/// As `systemctl status` shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_manager_is_told_how_things_stand() {
    let world = World::new(Scenario {
        arrivals_per_second: 3.0,
        ..Scenario::lively()
    })
    .await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = world.configure(&format!(
        r#"
        [[targets]]
        name = "bad"
        regions = "eu-west-2"
        account_id = "123456789012"
        endpoint_url = "http://{closed}"
        [[receivers]]
        name = "nowhere"
        type = "webhook"
        url = "http://{closed}"
        [[routes]]
        name = "everything"
        to = "nowhere"
        "#
    ));
    let path = world.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let child = run(&config).env("NOTIFY_SOCKET", &path).spawn().unwrap();
    let mut heard: Vec<String> = Vec::new();
    let mut hear = || {
        let mut datagram = [0; 4096];
        while let Ok(length) = socket.recv(&mut datagram) {
            let text = String::from_utf8(datagram[..length].to_vec()).unwrap();
            heard.extend(text.lines().map(str::to_owned));
        }
        heard.clone()
    };
    let stands = |line: &String| {
        line.starts_with("STATUS=2 targets, 1 of them not looked at; ")
            && !line.contains("; 0 requests open;")
            && line.ends_with(" waiting")
            && !line.ends_with("; 0 deliveries waiting")
    };
    until("its status", || hear().iter().any(stands)).await;
    let (code, log) = terminate(child);
    assert_eq!(code, Some(0), "{log}");
    let heard = hear();
    let place = |line: &str| heard.iter().position(|other| other == line);
    assert_eq!(place("STATUS=opening the history"), Some(0), "{heard:?}");
    assert!(place("READY=1") < place("STOPPING=1"), "{heard:?}");
    assert_eq!(
        heard.last().map(String::as_str),
        Some("STATUS=stopping: sends are given 10 s to finish")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_credentials_it_says_what_to_do_and_goes_on() {
    let world = World::new(Scenario::lively()).await;
    let config = world.configure("");
    let child = run(&config)
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .spawn()
        .unwrap();
    until("the gap", || {
        world.has_history() && world.query::<i64>("SELECT count(*) FROM v_gaps") == [1]
    })
    .await;
    let (code, log) = terminate(child);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches("give ccwatch valid credentials").count(), 1, "{log}");
    assert_eq!(world.simulator.calls().of("ListResourceRequests").received, 0);
}

/// SIGTERM while the service does not answer: the end does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_in_order_while_a_call_hangs() {
    let world = World::new(Scenario::lively()).await;
    world.simulator.set_faults(Faults {
        slow: 1.0,
        slow_by: Duration::from_mins(10),
        ..Faults::default()
    });
    let config = world.configure("");
    let child = run(&config).spawn().unwrap();
    until("the history", || world.has_history()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (code, log) = terminate(child);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("ccwatch has stopped"), "{log}");
}

/// A backup that is moved over a history in use: ccwatch ends, and what it leaves behind does not harm the backup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_moved_over_the_history_ends_it_and_stays_sound() {
    let world = World::new(Scenario {
        arrivals_per_second: 3.0,
        ..Scenario::lively()
    })
    .await;
    let config = world.configure("");
    // Looked after each second instead of each tenth.
    let mut child = run(&config).env("WATCHDOG_USEC", "2000000").spawn().unwrap();
    until("requests", || {
        world.has_history() && world.query::<i64>("SELECT count(*) FROM v_requests")[0] > 10
    })
    .await;
    let backup = world.folder.path().join("backup.db");
    let reader = Connection::open_with_flags(world.history(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    reader.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    let kept: i64 = reader
        .query_row("SELECT count(*) FROM v_requests", [], |row| row.get(0))
        .unwrap();
    drop(reader);
    // So that the write-ahead log holds what the backup does not.
    tokio::time::sleep(Duration::from_secs(1)).await;
    std::fs::rename(&backup, world.history()).unwrap();

    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{log}");
    assert!(log.contains("was removed or replaced"), "{log}");
    let connection = Connection::open(world.history()).unwrap();
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let found: i64 = connection
        .query_row("SELECT count(*) FROM v_requests", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, kept);
}
