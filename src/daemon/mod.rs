//! The long-running service: opens the history, joins watch, history and deliver, and ends in order.
//!
//! - **The rooms do not know each other**: `joints` gives the watch a `Memory` and the couriers an `Outbox`, both over
//!   one history.
//! - **If a task ends that should not, everything ends**, non-zero, and whoever supervises starts it again: half a
//!   daemon that looks alive is worse than none.
//! - **The order of the end** on SIGTERM or SIGINT: stop looking; remember what was seen; let sends finish within a
//!   grace period; say when each target was last looked at; close the history; exit 0. A second signal cuts the grace
//!   period short. What is not sent by then stays in the outbox.
//! - **One bad target holds up none of the others**: each connects in its own task, while the others already look.
//! - **The service manager is told how things stand** (`status`), when that changes.
//! - **The watchdog is fed by proof of progress** (`vigil`), not by a timer.

mod attention;
mod following;
mod joints;
mod others;
mod service_manager;
mod signals;
mod status;
#[cfg(test)]
mod telling_tests;
mod upkeep;
mod vigil;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::cloud::{self, Cause, Connection};
use crate::config::{AttentionSettings, Config, ResourceModelPolicy, TargetSettings};
use crate::decide::routing::Routing;
use crate::deliver::{BuildError, Courier, CourierError, Destination, Output};
use crate::history::{Escalation, History, HistoryError, OpenError};
use crate::model::{AccountId, Region, TargetName};
pub use crate::watch::FollowError;
use crate::watch::{Poller, Pulse, Watched};

pub use following::{EditorMemory, follow};
pub use service_manager::ServiceManager;
pub use signals::Signals;

/// How long sends may take to finish after the daemon was told to stop. The unit's TimeoutStopSec leaves room for it.
pub const GRACE: Duration = Duration::from_secs(10);

/// How often what can't be written before a poller runs is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(30);

/// Why the daemon could not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Receivers(#[from] BuildError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Courier(Box<CourierError<HistoryError>>),
    #[error("a part of ccwatch ended that should not: {0}")]
    Ended(String),
}

impl From<CourierError<HistoryError>> for DaemonError {
    fn from(error: CourierError<HistoryError>) -> Self {
        Self::Courier(Box::new(error))
    }
}

impl DaemonError {
    /// Whether the configuration is what is wrong, so that starting again is of no use before it is mended.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Open(error) => error.is_configuration(),
            // TLS that can't be set up is the machine's trouble (no CA certificates), not the file's.
            Self::Receivers(error) => !matches!(error, BuildError::Http(_)),
            Self::History(_) | Self::Courier(_) | Self::Ended(_) => false,
        }
    }
}

/// What the daemon is made of, besides its configuration.
#[derive(Debug)]
pub struct Daemon {
    pub history: History,
    pub targets: Vec<TargetSettings>,
    pub destinations: Vec<Destination>,
    pub routing: Arc<Routing>,
    pub attention: AttentionSettings,
    pub escalations: Vec<Escalation>,
    pub resource_model: ResourceModelPolicy,
    /// How long what has ended is kept; `None` for ever.
    pub retention: Option<Duration>,
    pub connection: Connection,
    pub clock: Clock,
    pub service_manager: ServiceManager,
    /// Makes the daemon's chances repeatable.
    pub seed: u64,
}

impl Daemon {
    /// Opens the history and makes the receivers of a configuration. Nothing is looked at or sent yet.
    pub fn new(config: Config, connection: Connection, clock: Clock, output: &Output) -> Result<Self, DaemonError> {
        let service_manager = ServiceManager::from_environment();
        // It may first be brought up to date, which takes a large one minutes.
        service_manager.status("opening the history");
        let path = &config.history.path;
        let is_new = !path.exists();
        let history = History::open(path)?;
        if is_new {
            info!(path = %path.display(), "there was no history: a new one is begun");
        }
        let receivers = config.receivers.iter();
        let audiences = receivers
            .clone()
            .map(|receiver| (receiver.name.as_str(), receiver.audience));
        let escalations = receivers.filter_map(|receiver| {
            let escalation = receiver.escalation.as_ref()?;
            Some(Escalation {
                receiver: receiver.name.clone(),
                to: escalation.to.clone(),
                after: escalation.after,
            })
        });
        Ok(Self {
            history,
            targets: config.targets,
            destinations: crate::deliver::build(&config.receivers, output)?,
            escalations: escalations.collect(),
            routing: Arc::new(Routing::new(config.routes, audiences)),
            attention: config.attention,
            resource_model: config.history.resource_model,
            retention: config.history.retention,
            connection,
            clock,
            service_manager,
            seed: fastrand::u64(..),
        })
    }

    /// Runs until `stop`, then ends in order; `cut` ends the grace period.
    pub async fn run(self, stop: CancellationToken, cut: CancellationToken) -> Result<(), DaemonError> {
        let Self {
            history,
            clock,
            service_manager,
            ..
        } = &self;
        let (bell, _) = tokio::sync::watch::channel(());
        let names: Vec<String> = self
            .destinations
            .iter()
            .map(|destination| destination.name.clone())
            .collect();
        let skipped = history
            .skip_unknown_receivers(&names, &self.routing.incident_receivers)
            .await?;
        if skipped > 0 {
            warn!(
                deliveries = skipped,
                "deliveries to receivers that are no longer configured, or no longer take them, are skipped"
            );
        }
        history.apply_resource_model_policy(self.resource_model).await?;

        let memory = joints::HistoryMemory::new(history.clone(), self.routing.clone(), bell.clone());
        let stop_sending = CancellationToken::new();
        let mut couriers = JoinSet::new();
        for (number, destination) in self.destinations.iter().enumerate() {
            let courier = Courier::new(
                destination.clone(),
                memory.outbox(),
                bell.subscribe(),
                clock.clone(),
                fastrand::Rng::with_seed(self.seed.wrapping_add(1_000_000 + number as u64)),
            );
            couriers.spawn(courier.run(stop_sending.clone(), GRACE));
        }

        let mut vigil = vigil::Vigil::new(clock.clone());
        let claims = Claims::default();
        let mut lookers = JoinSet::new();
        for (number, settings) in self.targets.iter().enumerate() {
            let looker = Looker {
                settings: settings.clone(),
                resource_model: self.resource_model,
                connection: self.connection.clone(),
                memory: memory.clone(),
                clock: clock.clone(),
                seed: self.seed.wrapping_add(number as u64),
                // Those whose account is configured have theirs in the order of the file; the others as it is learnt.
                claimed: settings.account_id.as_ref().map(|account| {
                    claims.claim(
                        Some(account),
                        &TargetName::new(&settings.entry, &settings.region),
                        &settings.region,
                    )
                }),
                claims: claims.clone(),
                pulse: vigil.pulse(&TargetName::new(&settings.entry, &settings.region)),
            };
            lookers.spawn(looker.run(stop.clone()));
        }
        let mut keepers = self.keepers(&memory, &stop);
        keepers.spawn(vigil.keep(history.clone(), memory.clone(), *service_manager, stop.clone()));
        info!(targets = self.targets.len(), receivers = names.len(), history = %history.path().display(), "ccwatch is running");
        service_manager.ready();

        let ended = tokio::select! {
            // First: once it has come, tasks end because they were told to.
            biased;
            () = stop.cancelled() => Ok(()),
            ended = first_end(&mut lookers) => ended,
            ended = first_end(&mut keepers) => ended,
            ended = first_end(&mut couriers) => ended,
        };
        service_manager.stopping();
        info!(
            "ccwatch stops: looking has ended, sends are given {} s to finish",
            GRACE.as_secs()
        );
        stop.cancel();
        let lookers = drain(lookers).await;
        let keepers = drain(keepers).await;
        // Only now: what tells how things stand has ended, too.
        service_manager.status(&format!("stopping: sends are given {} s to finish", GRACE.as_secs()));
        stop_sending.cancel();
        let couriers = tokio::select! {
            couriers = drain(couriers) => couriers,
            () = cut.cancelled() => {
                warn!("told to stop a second time: sends that are under way are cut off and will be tried again");
                Ok(())
            }
        };
        let flushed = memory.flush().await.map_err(DaemonError::from);
        // Whatever went wrong: one that was replaced by another file would leave a write-ahead log beside it, which the next
        // start would take for that file's own.
        let folded = history.checkpoint().await.map(drop).map_err(DaemonError::from);
        ended.and(lookers).and(keepers).and(couriers).and(flushed).and(folded)?;
        info!("ccwatch has stopped");
        Ok(())
    }

    /// Starts what is done from time to time.
    fn keepers(&self, memory: &joints::HistoryMemory, stop: &CancellationToken) -> JoinSet<Result<(), HistoryError>> {
        let mut keepers = JoinSet::new();
        keepers.spawn(upkeep::keep(
            self.history.clone(),
            memory.clone(),
            self.clock.clone(),
            self.retention,
            stop.clone(),
        ));
        keepers.spawn(others::hear(self.history.clone(), memory.clone(), stop.clone()));
        keepers.spawn(status::tell(
            self.history.clone(),
            memory.clone(),
            self.targets.len(),
            self.service_manager,
            stop.clone(),
        ));
        keepers.spawn(attention::pay(
            self.history.clone(),
            memory.clone(),
            self.clock.clone(),
            self.attention,
            self.escalations.clone(),
            stop.clone(),
        ));
        keepers
    }
}

/// What is looked at, by identity (trap 11), so that no two pollers share a target. Claimed before the history is told of
/// the target: the one that is skipped must not rename the one that runs.
#[derive(Debug, Clone, Default)]
struct Claims(Arc<Mutex<HashSet<(Identity, Region)>>>);

#[derive(Debug, PartialEq, Eq, Hash)]
enum Identity {
    Account(AccountId),
    /// Of a target whose account is not known.
    Name(TargetName),
}

impl Claims {
    fn claim(&self, account: Option<&AccountId>, name: &TargetName, region: &Region) -> bool {
        let identity = account
            .cloned()
            .map_or_else(|| Identity::Name(name.clone()), Identity::Account);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((identity, region.clone()))
    }
}

/// Connects one target, and watches it.
struct Looker {
    settings: TargetSettings,
    resource_model: ResourceModelPolicy,
    connection: Connection,
    memory: joints::HistoryMemory,
    clock: Clock,
    seed: u64,
    /// Whether it has its claim, where that is known.
    claimed: Option<bool>,
    claims: Claims,
    pulse: Pulse,
}

impl Looker {
    async fn run(self, stop: CancellationToken) -> Result<(), DaemonError> {
        let Self {
            settings,
            memory,
            clock,
            ..
        } = &self;
        let name = TargetName::new(&settings.entry, &settings.region);
        // Boxed: it takes much room, and only at the start.
        let connecting = Box::pin(cloud::connect(settings, self.resource_model, &self.connection));
        let (client, account, failure) = tokio::select! {
            connected = connecting => connected,
            () = stop.cancelled() => return Ok(()),
        };
        if let Some(failure) = failure {
            let remedy = match failure.cause {
                Cause::Denied => "set account_id for this target, or allow sts:GetCallerIdentity",
                cause => cause.remedy(),
            };
            warn!(target_name = %name, error = %failure, remedy,
                "the account could not be learnt; until the next start the target is watched without it");
        }
        let claimed = self
            .claimed
            .unwrap_or_else(|| self.claims.claim(account.as_ref(), &name, &settings.region));
        if !claimed {
            warn!(target_name = %name, account = account.as_ref().map(ToString::to_string), region = %settings.region,
                "another target looks at the same account and Region: this one is skipped; remove one of the two");
            // Nothing more to do, and no reason to end: only what should not end may end everything.
            while !stop.is_cancelled() {
                self.pulse.beat();
                let _ = tokio::time::timeout(Duration::from_mins(1), stop.cancelled()).await;
            }
            return Ok(());
        }
        let registered = loop {
            match memory
                .register(&name, account.as_ref(), &settings.region, clock.now())
                .await
            {
                Ok(registered) => break registered,
                Err(error) if error.may_pass() && !stop.is_cancelled() => {
                    warn!(target_name = %name, %error, "the history can't be written; the target waits for it");
                    self.pulse.beat();
                    let _ = tokio::time::timeout(RETRY_EVERY, stop.cancelled()).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        let watched = Watched {
            target: registered.target,
            baseline: registered.baseline,
            last_looked_at: registered.last_looked_at,
        };
        let (memory, pace, pulse) = (memory.clone(), settings.pace.clone(), self.pulse.clone());
        let poller = Poller::new(watched, client, memory, pace, pulse, clock.clone(), self.seed);
        Ok(poller.run(stop).await?)
    }
}

/// Waits for the first task to end, which none should. A set without tasks never ends.
async fn first_end<E: Into<DaemonError> + 'static>(tasks: &mut JoinSet<Result<(), E>>) -> Result<(), DaemonError> {
    match tasks.join_next().await {
        None => std::future::pending().await,
        Some(Ok(Ok(()))) => Err(DaemonError::Ended("a task returned".to_owned())),
        Some(Ok(Err(error))) => Err(error.into()),
        Some(Err(error)) => Err(DaemonError::Ended(error.to_string())),
    }
}

/// Waits for all tasks to end; the first error counts.
async fn drain<E: Into<DaemonError> + 'static>(mut tasks: JoinSet<Result<(), E>>) -> Result<(), DaemonError> {
    let mut result = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = match ended {
            Ok(ended) => ended.map_err(Into::into),
            Err(error) => Err(DaemonError::Ended(error.to_string())),
        };
        result = result.and(ended);
    }
    result
}
