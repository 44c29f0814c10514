//! The way to Cloud Control, for commands that call it themselves: by a target of the configuration, or by what the AWS CLI
//! would be told.
//!
//! Whoever adds to a history by which a daemon tells people must tell them too, or the daemon, which finds nothing new any
//! more, never would. So a target that is watched is called by a configuration alone: it has the routes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use super::{Failure, history_file};
use crate::cloud::{self, Client, Connection};
use crate::config::values::is_region;
use crate::config::wording::{listed, suggestion};
use crate::config::{Config, Environment, ResourceModelPolicy, TargetSettings};
use crate::decide::cadence::Pace;
use crate::decide::routing::Routing;
use crate::history::Editor;
use crate::model::{AccountId, Region, Target, TargetName};

#[derive(Debug, clap::Args)]
pub(super) struct Access {
    /// The configuration file, for its targets, its routes and its history. If nothing else says where, the service's,
    /// `/etc/ccwatch/ccwatch.toml`, if it is there.
    #[arg(long, short, value_name = "FILE", env = "CCWATCH_CONFIG")]
    config: Option<PathBuf>,
    /// The history file, in place of the configuration's.
    #[arg(long, value_name = "FILE", env = "CCWATCH_HISTORY")]
    history: Option<PathBuf>,
    /// The target, as `entry/region` or by its entry's name; needed where there are several.
    #[arg(long, value_name = "TARGET", conflicts_with_all = ["region", "profile", "endpoint_url"])]
    pub(super) target: Option<String>,
    /// Not a target of the configuration, but this Region; without it, $AWS_REGION.
    #[arg(long, value_name = "REGION", value_parser = region, help_heading = "Without a configured target")]
    region: Option<Region>,
    /// A profile of ~/.aws/config to take credentials from.
    #[arg(long, value_name = "PROFILE", help_heading = "Without a configured target")]
    profile: Option<String>,
    /// An endpoint in place of AWS's own.
    // Read later: clap's own error would repeat it, and a password with it.
    #[arg(long, value_name = "URL", help_heading = "Without a configured target")]
    endpoint_url: Option<String>,
}

fn region(text: &str) -> Result<Region, String> {
    let expected = "expected a Region, such as eu-west-1";
    is_region(text)
        .then(|| Region(text.to_owned()))
        .ok_or_else(|| expected.to_owned())
}

/// No part of the text is in the error: it may hold a password by mistake.
fn endpoint_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("expected an http or https URL: {error}"))?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if matches!(url.scheme(), "http" | "https") && url.host().is_some() && is_plain {
        Ok(url)
    } else {
        Err("expected an http or https URL without a user name, a password or a query".to_owned())
    }
}

/// A client of one target.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// What the target is called, unless the history knows it by another name.
    pub(super) name: TargetName,
    pub(super) account: Option<AccountId>,
    pub(super) region: Region,
    pub(super) client: Client,
    pub(super) pace: Pace,
    /// `None` without a configuration.
    routing: Option<Arc<Routing>>,
}

impl Way {
    /// The routes by which what is seen is told.
    pub(super) fn routing(&self) -> Arc<Routing> {
        self.routing.clone().unwrap_or_default()
    }

    /// Refuses to add to what a daemon tells people of without its routes, and to act in another account than the one that the
    /// target is known to be.
    pub(super) fn may_record(&self, editor: &Editor) -> Result<(), Failure> {
        if let Some(own) = &self.account
            && let Some(other) = editor.holder(&self.name, own)?
        {
            return Err(Failure::Arguments(format!(
                "this history knows {} as account {other}, and the credentials that were found are of account {own}: use \
                 those of {other}, or say another target by --target or --region",
                self.name
            )));
        }
        if self.routing.is_some() {
            return Ok(());
        }
        match editor.watched(&self.name, self.account.as_ref(), &self.region)? {
            None => Ok(()),
            Some(target) => Err(Failure::Arguments(format!(
                "this history watches that account and Region as {target}, and its configuration says who is told: give it \
                 by --config FILE, or keep another history by --history FILE"
            ))),
        }
    }
}

impl Access {
    /// A history that is there.
    pub(super) fn history(&self) -> Result<PathBuf, Failure> {
        history_file::path(self.history.as_deref(), self.config_file().as_deref())
    }

    /// A history that is there, or where one is to be made.
    pub(super) fn history_or_new(&self) -> Result<PathBuf, Failure> {
        history_file::path_or_new(self.history.as_deref(), self.config_file().as_deref())
    }

    /// Whether the target is said as the AWS CLI is told it.
    fn is_direct(&self) -> bool {
        self.region.is_some() || self.profile.is_some() || self.endpoint_url.is_some()
    }

    /// Whether it is said which target is meant, be it by a configuration.
    pub(super) fn says_where(&self) -> bool {
        self.is_direct() || self.config_file().is_some()
    }

    /// What was said, as it is typed again, each option with a space before it.
    pub(super) fn said(&self) -> String {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        // One that is no address may be a secret by mistake.
        let endpoint = self.endpoint_url.clone().filter(|text| endpoint_url(text).is_ok());
        let options = [
            ("--config", path(&self.config)),
            ("--history", path(&self.history)),
            ("--target", self.target.clone()),
            ("--region", self.region.as_ref().map(ToString::to_string)),
            ("--profile", self.profile.clone()),
            ("--endpoint-url", endpoint),
        ];
        let said = options.iter().filter_map(|(option, value)| {
            let value = value.as_deref()?;
            // None has a NUL, which alone can't be typed.
            let typed = shlex::try_quote(value).unwrap_or_default();
            Some(format!(" {option} {typed}"))
        });
        said.collect()
    }

    /// The configuration that is named; else the service's, if it is there.
    fn config_file(&self) -> Option<PathBuf> {
        let service = || {
            let path = Path::new(history_file::DEFAULT_CONFIG);
            (!self.is_direct() && self.history.is_none() && path.exists()).then(|| path.to_owned())
        };
        self.config.clone().or_else(service)
    }

    /// Secrets are not needed: nothing is sent from here.
    fn load(&self) -> Result<Option<Config>, Failure> {
        let Some(path) = self.config_file() else {
            return Ok(None);
        };
        Ok(Some(Config::load_without_secrets(&path, &Environment::of_process())?))
    }

    /// The way to the target that was named, or to the only one there is.
    pub(super) async fn way(&self) -> Result<Way, Failure> {
        let config = self.load()?;
        if self.is_direct() {
            return self.direct(config).await;
        }
        let Some(config) = config else {
            return Err(Failure::Arguments(
                "which target? Name a configuration by --config FILE, or a Region by --region, with --profile or --endpoint-url if \
                 need be"
                    .to_owned(),
            ));
        };
        let target = chosen(&config, self.target.as_deref())?.clone();
        Ok(through(config, target).await)
    }

    /// The way to a target that the history knows. `None`: no one said how.
    pub(super) async fn way_to(&self, target: &Target) -> Result<Option<Way>, Failure> {
        let config = self.load()?;
        let way = if self.is_direct() {
            self.direct(config).await?
        } else {
            let Some(config) = config else { return Ok(None) };
            // The history may know it by a name that it had before.
            let is_it = |settings: &&TargetSettings| {
                let is_account = settings.account_id.is_some() && settings.account_id == target.account_id;
                name(settings) == target.name || is_account && settings.region == target.region
            };
            let Some(settings) = config.targets.iter().find(is_it).cloned() else {
                return Ok(None);
            };
            through(config, settings).await
        };
        let differs = way.region != target.region
            || way
                .account
                .as_ref()
                .zip(target.account_id.as_ref())
                .is_some_and(|(own, known)| own != known);
        if differs {
            let place = |account: Option<&AccountId>, region: &Region| match account {
                Some(account) => format!("account {account} in {region}"),
                None => region.to_string(),
            };
            return Err(Failure::Arguments(format!(
                "the request is one of {} ({}), and what was given leads to {}",
                target.name,
                place(target.account_id.as_ref(), &target.region),
                place(way.account.as_ref(), &way.region)
            )));
        }
        Ok(Some(way))
    }

    async fn direct(&self, config: Option<Config>) -> Result<Way, Failure> {
        let endpoint_url = self.endpoint_url.as_deref().map(endpoint_url).transpose();
        let endpoint_url = endpoint_url.map_err(|error| Failure::Arguments(format!("--endpoint-url: {error}")))?;
        let environment = Environment::of_process();
        let of_environment = || {
            ["AWS_REGION", "AWS_DEFAULT_REGION"]
                .into_iter()
                .find_map(|variable| environment.get(variable)?.to_str().map(str::to_owned))
        };
        let region = match (&self.region, of_environment()) {
            (Some(region), _) => region.clone(),
            (None, Some(text)) => region(&text).map_err(|error| Failure::Arguments(format!("AWS_REGION: {error}")))?,
            (None, None) => return Err(Failure::Arguments("in which Region? Say --region".to_owned())),
        };
        let settings = TargetSettings {
            entry: String::new(),
            region,
            account_id: None,
            profile: self.profile.clone(),
            role: None,
            endpoint_url,
            pace: Pace::default(),
        };
        let policy = config
            .as_ref()
            .map_or_else(ResourceModelPolicy::default, |config| config.history.resource_model);
        let (client, account, _) = cloud::connect(&settings, policy, &Connection::to_aws()).await;
        // What it would not be called by anyone who names it.
        let entry = match (&account, &settings.endpoint_url, &self.profile) {
            (Some(account), ..) => account.to_string(),
            (None, Some(url), _) => url.authority().to_owned(),
            (None, None, Some(profile)) => profile.clone(),
            (None, None, None) => "unknown".to_owned(),
        };
        Ok(Way {
            name: TargetName::new(&entry, &settings.region),
            account,
            region: settings.region,
            client,
            pace: settings.pace,
            routing: config.map(routing),
        })
    }
}

/// The way to a target of the configuration.
async fn through(config: Config, settings: TargetSettings) -> Way {
    let policy = config.history.resource_model;
    // Why an account can't be learnt is of no matter here: the call that follows says what is wrong with the credentials.
    let (client, account, _) = cloud::connect(&settings, policy, &Connection::to_aws()).await;
    Way {
        name: name(&settings),
        account,
        client,
        region: settings.region,
        pace: settings.pace,
        routing: Some(routing(config)),
    }
}

fn routing(config: Config) -> Arc<Routing> {
    let audiences = config
        .receivers
        .iter()
        .map(|receiver| (receiver.name.as_str(), receiver.audience));
    Arc::new(Routing::new(config.routes, audiences))
}

fn name(settings: &TargetSettings) -> TargetName {
    TargetName::new(&settings.entry, &settings.region)
}

/// The target of that name, or of that entry if it has a single Region; without a name, the only one.
fn chosen<'c>(config: &'c Config, wanted: Option<&str>) -> Result<&'c TargetSettings, Failure> {
    let names: Vec<TargetName> = config.targets.iter().map(name).collect();
    let listing = || listed(names.iter().map(TargetName::as_str));
    let Some(wanted) = wanted else {
        return match config.targets.as_slice() {
            [only] => Ok(only),
            _ => Err(Failure::Arguments(format!("which target? Say --target: {}", listing()))),
        };
    };
    let mut of_entry = config.targets.iter().filter(|target| target.entry == wanted);
    let by_entry = of_entry.next().filter(|_| of_entry.next().is_none());
    let by_name = config.targets.iter().find(|target| name(target).as_str() == wanted);
    by_name.or(by_entry).ok_or_else(|| {
        let hint = suggestion(wanted, names.iter().map(TargetName::as_str));
        let wanted = crate::model::printable(wanted);
        Failure::Arguments(format!(
            "the configuration has no target {wanted}{hint}; there is {}",
            listing()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(targets: &str) -> Config {
        let text = format!("[history]\npath = \"/h.db\"\n{targets}");
        Config::parse(&text, Path::new("test.toml"), &Environment::default()).unwrap()
    }

    fn outcome(config: &Config, wanted: Option<&str>) -> String {
        match chosen(config, wanted) {
            Ok(settings) => name(settings).as_str().to_owned(),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn a_target_is_chosen_by_name_by_entry_or_because_it_is_the_only_one() {
        let one = config("[[targets]]\nname = \"prod\"\nregions = \"eu-west-1\"\n");
        assert_eq!(outcome(&one, None), "prod/eu-west-1");
        assert_eq!(outcome(&one, Some("prod")), "prod/eu-west-1");
        assert_eq!(outcome(&one, Some("prod/eu-west-1")), "prod/eu-west-1");
        let told = outcome(&one, Some("prd/eu-west-1"));
        assert!(told.contains("did you mean \"prod/eu-west-1\"?"), "{told}");

        let two = config("[[targets]]\nname = \"prod\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n");
        assert_eq!(outcome(&two, Some("prod/us-east-1")), "prod/us-east-1");
        for wanted in [None, Some("prod"), Some("\u{1b}[2J")] {
            let told = outcome(&two, wanted);
            assert!(
                told.contains("prod/eu-west-1, prod/us-east-1") && !told.contains('\u{1b}'),
                "{told}"
            );
        }
    }

    #[test]
    fn an_endpoint_holds_no_secret_and_its_error_none_either() {
        assert!(endpoint_url("http://127.0.0.1:4599").is_ok());
        for wrong in [
            "https://me:hunter2@host",
            "ftp://hunter2",
            "hunter2",
            "https://h/?k=hunter2",
        ] {
            let error = endpoint_url(wrong).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(region("eu-west-1").is_ok() && region("Europe").is_err());
    }

    #[test]
    fn what_was_said_can_be_typed_again() {
        #[derive(Debug, clap::Parser)]
        struct Typed {
            #[command(flatten)]
            access: Access,
        }
        let said = |words: &[&str]| {
            let words = ["ccwatch"].iter().chain(words);
            <Typed as clap::Parser>::try_parse_from(words).unwrap().access.said()
        };
        assert_eq!(said(&["--region", "eu-west-1"]), " --region eu-west-1");
        assert_eq!(said(&["--config", "my file.toml"]), " --config 'my file.toml'");
        assert_eq!(
            said(&[
                "--history=h.db",
                "--region=eu-west-1",
                "--endpoint-url=http://127.0.0.1:1"
            ]),
            " --history h.db --region eu-west-1 --endpoint-url http://127.0.0.1:1"
        );
        assert_eq!(said(&["--endpoint-url", "https://me:hunter2@host"]), "");
    }
}
