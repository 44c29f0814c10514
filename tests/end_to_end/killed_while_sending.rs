//! SIGKILL at each step of a send, as the receiver sees the steps: at least once, with the same id.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ccwatch::simulator::Scenario;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::process::{World, run, terminate, until};

/// How far a send has come when its sender dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// There is a connection, and not a byte on it is read.
    Connected,
    /// The head with the id is read, and the body not yet.
    HeadRead,
    /// All of it is read, and not answered.
    BodyRead,
    /// The status has been answered, and the rest of the answer not yet.
    StatusAnswered,
    /// All of it is answered: the sender may or may not have written that down.
    Answered,
}

const STEPS: [Step; 5] = [
    Step::Connected,
    Step::HeadRead,
    Step::BodyRead,
    Step::StatusAnswered,
    Step::Answered,
];

/// Where a send was struck, with its id if that had been read.
type Strike = (Step, Option<String>);

/// A webhook that can kill its sender.
#[derive(Clone, Default)]
struct Killer {
    /// When to kill whom, once.
    order: Arc<Mutex<Option<(Step, Pid)>>>,
    /// How often each id was read as a whole.
    read: Arc<Mutex<BTreeMap<String, usize>>>,
    /// In the order in which it came.
    struck: Arc<Mutex<Vec<Strike>>>,
}

impl Killer {
    async fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let killer = self.clone();
                tokio::spawn(async move { killer.receive(stream).await });
            }
        });
        url
    }

    /// Kills the sender if this is the step. Whoever is killed says no more, so its connection is of no more use.
    fn strikes(&self, step: Step, id: Option<&str>) -> bool {
        let order = self.order.lock().unwrap().take_if(|(wanted, _)| *wanted == step);
        let Some((_, sender)) = order else { return false };
        self.struck.lock().unwrap().push((step, id.map(str::to_owned)));
        kill_process(sender, Signal::KILL).unwrap();
        true
    }

    /// Serves requests on one connection, until it ends.
    async fn receive(self, mut stream: TcpStream) {
        if self.strikes(Step::Connected, None) {
            return;
        }
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            let head = String::from_utf8(head).unwrap();
            let header = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap().trim().to_owned()
            };
            let (id, length): (String, usize) = (header("webhook-id:"), header("content-length:").parse().unwrap());
            if self.strikes(Step::HeadRead, Some(&id)) {
                return;
            }
            let mut body = vec![0; length];
            if stream.read_exact(&mut body).await.is_err() {
                return;
            }
            *self.read.lock().unwrap().entry(id.clone()).or_default() += 1;
            if self.strikes(Step::BodyRead, Some(&id)) {
                return;
            }
            let answered = async {
                stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                stream.flush().await?;
                if !self.strikes(Step::StatusAnswered, Some(&id)) {
                    stream.write_all(b"content-length: 2\r\n\r\nok").await?;
                    stream.flush().await?;
                    self.strikes(Step::Answered, Some(&id));
                }
                std::io::Result::Ok(())
            };
            if answered.await.is_err() {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_step_of_a_send_it_sends_again_with_the_same_id() {
    let world = World::new(Scenario {
        arrivals_per_second: 3.0,
        ..Scenario::lively()
    })
    .await;
    let killer = Killer::default();
    let url = killer.clone().serve().await;
    let config = world.configure(&format!(
        r#"
        [[receivers]]
        name = "hook"
        type = "webhook"
        url = "{url}"
        [[routes]]
        name = "everything"
        to = "hook"
        "#
    ));
    let start = || -> Child { run(&config).stderr(Stdio::null()).spawn().unwrap() };
    for step in STEPS {
        let mut child = start();
        // It is to be at work: what is struck then is a send like any other.
        let before = killer.read.lock().unwrap().len();
        until("something is told", || killer.read.lock().unwrap().len() > before + 3).await;
        *killer.order.lock().unwrap() = Some((step, Pid::from_child(&child)));
        // An idle connection is used again; one that comes anew is wanted.
        if step == Step::Connected {
            child.kill().unwrap();
            child.wait().unwrap();
            child = start();
            *killer.order.lock().unwrap() = Some((step, Pid::from_child(&child)));
        }
        until("it is struck", || killer.order.lock().unwrap().is_none()).await;
        let status = child.wait().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(9),
            "{step:?}"
        );
        assert_eq!(world.query::<String>("PRAGMA integrity_check"), ["ok"]);
    }
    let child = run(&config).spawn().unwrap();
    let struck = killer.struck.lock().unwrap().clone();
    assert_eq!(struck.iter().map(|(step, _)| *step).collect::<Vec<_>>(), STEPS);
    let changes: Vec<String> = struck
        .iter()
        .filter_map(|(_, id)| Some(id.as_ref()?.rsplit_once('-').unwrap().1.to_owned()))
        .collect();
    let pending = format!(
        "SELECT count(*) FROM deliveries WHERE state <> 'sent' AND change_id IN ({})",
        changes.join(", ")
    );
    until("what was struck is told", || world.query::<i64>(&pending) == [0]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (code, log) = terminate(child);
    assert_eq!(code, Some(0), "{log}");

    let read = killer.read.lock().unwrap().clone();
    for (step, id) in &struck {
        let Some(id) = id else { continue };
        let least = match step {
            // It was read as a whole, and its sender knew nothing of that.
            Step::BodyRead => 2,
            _ => 1,
        };
        assert!(read[id] >= least, "{step:?}: {id} was read {} times", read[id]);
    }
    // Each delivery that is marked sent was read as a whole, and one id belongs to one change.
    let history: Vec<String> = world.query("SELECT history_id FROM meta");
    let sent: Vec<i64> = world.query("SELECT change_id FROM v_deliveries WHERE state = 'sent'");
    for change in &sent {
        assert!(
            read.contains_key(&format!("{}-{change}", history[0])),
            "change {change} was never read"
        );
    }
    let repeated = read.values().filter(|times| **times > 1).count();
    // At most what was on the way in each of the kills: four sends at once.
    assert!(repeated <= 4 * (STEPS.len() + 1), "{repeated} were told more than once");
    assert!(sent.len() > 20, "{}", sent.len());
}
