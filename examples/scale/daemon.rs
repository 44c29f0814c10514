//! ccwatch as a process: what `ccwatch run` does, with a budget that a configuration would not allow.

use std::path::Path;

use anyhow::{Context, Result};
use ccwatch::clock::Clock;
use ccwatch::cloud::Connection;
use ccwatch::config::{Config, Environment, TargetSettings};
use ccwatch::daemon::{Daemon, Signals};
use ccwatch::deliver::Output;
use ccwatch::model::AccountId;
use tokio_util::sync::CancellationToken;

use crate::{Plan, REGION, account};

/// Watches until SIGTERM.
pub(crate) async fn run(config: &Path, plan: &Plan) -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
    Signals::catch()?.forward(stop.clone(), cut.clone());
    let mut config = Config::load(config, &Environment::of_process())?;
    let first = config.targets.first().context("a target")?.clone();
    config.targets = (0..plan.targets).map(|number| target(&first, number, plan)).collect();
    let daemon = Daemon::new(config, Connection::to_aws(), Clock::system(), &Output::stdout())?;
    Ok(daemon.run(stop, cut).await?)
}

/// The target for the account with this number, by a role as people have it.
fn target(first: &TargetSettings, number: u32, plan: &Plan) -> TargetSettings {
    let account = account(number);
    let mut target = first.clone();
    target.entry = format!("t{number}");
    if let Some(role) = &mut target.role {
        role.arn = format!("arn:aws:iam::{account}:role/ccwatch");
    }
    target.account_id = Some(AccountId(account));
    target.pace.max_calls_per_second = plan.calls_per_second;
    target
}

/// One target, which is the model of the others; changes go to standard output.
pub(crate) fn config(endpoint: &str) -> String {
    format!(
        r#"
        [history]
        path = "history.db"
        [[targets]]
        name = "first"
        regions = "{REGION}"
        role_arn = "arn:aws:iam::{}:role/ccwatch"
        endpoint_url = "{endpoint}"
        [[receivers]]
        name = "out"
        type = "log"
        format = "json"
        [[routes]]
        name = "everything"
        to = "out"
        "#,
        account(0)
    )
}
