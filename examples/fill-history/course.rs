//! What the service would have shown of one request.

use std::time::Duration;

use ccwatch::model::{
    FailureMode, HookProgressEvent, HookStatus, Operation, ProgressEvent, RequestKey, RequestStatus, RequestToken,
    Seen, Sighting, Source, TargetId, Timestamp,
};

const TYPES: [&str; 8] = [
    "AWS::S3::Bucket",
    "AWS::Logs::LogGroup",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::RDS::DBInstance",
    "AWS::EC2::VPC",
    "AWS::DynamoDB::Table",
    "AWS::ECS::Service",
];

/// One request from its start to where it has got to.
pub(super) struct Course {
    pub(super) key: RequestKey,
    start: Timestamp,
    /// Looks at it while it is in progress.
    looks: u32,
    hooks: Vec<&'static str>,
    ending: Option<Ending>,
    type_name: &'static str,
    operation: Operation,
    identifier: String,
    hooks_request_token: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Success,
    Failed,
    /// Failed by a hook.
    Refused,
    Cancelled,
}

impl Course {
    pub(super) fn new(target: TargetId, start: Timestamp, is_open: bool, random: &mut fastrand::Rng) -> Self {
        let mut uuid = || {
            let (high, low) = (random.u64(..), random.u64(..) & 0xffff_ffff_ffff);
            format!(
                "{:08x}-{:04x}-4{:03x}-b38f-{low:012x}",
                high >> 32,
                high >> 16 & 0xffff,
                high & 0xfff
            )
        };
        let (token, hooks_request_token) = (uuid(), uuid());
        let hooks = match random.u8(..10) {
            0..5 => vec![],
            5..8 => vec!["Acme::Guard::Encryption", "Acme::Tagging::CostCenter"],
            _ => vec![
                "Acme::Guard::Encryption",
                "Acme::Tagging::CostCenter",
                "Acme::Guard::Names",
            ],
        };
        let ending = match random.u8(..100) {
            _ if is_open => None,
            0..3 if !hooks.is_empty() => Some(Ending::Refused),
            0..10 => Some(Ending::Failed),
            10..12 => Some(Ending::Cancelled),
            _ => Some(Ending::Success),
        };
        let operation = [Operation::Create, Operation::Update, Operation::Delete];
        Self {
            identifier: format!("resource-{token:.8}"),
            key: RequestKey {
                target,
                token: RequestToken::new(token),
            },
            start,
            looks: random.u32(3..8),
            hooks,
            ending,
            type_name: TYPES[random.usize(..TYPES.len())],
            operation: operation[random.usize(..3)].clone(),
            hooks_request_token,
        }
    }

    /// In the order of time: seen on its way by lists, and by a Get wherever a hook is to be seen.
    pub(super) fn sightings(&self) -> Vec<Sighting> {
        let mut sightings = vec![self.seen(0, RequestStatus::Pending, Some(HookStatus::Pending))];
        if !self.hooks.is_empty() {
            sightings.push(self.seen(3, RequestStatus::Pending, Some(HookStatus::InProgress)));
        }
        let verdict = HookStatus::CompleteSucceeded;
        for look in 1..=self.looks {
            let hooks = (look == 1 && self.ending != Some(Ending::Refused)).then(|| verdict.clone());
            sightings.push(self.seen(look * 10, RequestStatus::InProgress, hooks));
        }
        let end = (self.looks + 1) * 10;
        sightings.extend(self.ending.map(|ending| match ending {
            Ending::Success => self.seen(end, RequestStatus::Success, Some(verdict)),
            Ending::Failed => self.seen(end, RequestStatus::Failed, Some(verdict)),
            Ending::Refused => self.seen(end, RequestStatus::Failed, Some(HookStatus::CompleteFailed)),
            Ending::Cancelled => self.seen(end, RequestStatus::CancelComplete, Some(verdict)),
        }));
        sightings
    }

    fn seen(&self, second: u32, status: RequestStatus, hooks: Option<HookStatus>) -> Sighting {
        let at = self.start.plus(Duration::from_secs(second.into()));
        let is_guarded = !self.hooks.is_empty();
        let (error_code, message) = match (&status, self.ending) {
            (RequestStatus::Failed, Some(Ending::Refused)) => (
                Some("GeneralServiceException"),
                Some(format!("The following hook(s) failed: [{}]", self.hooks[0])),
            ),
            (RequestStatus::Failed, _) => (
                Some("AlreadyExists"),
                Some(format!(
                    "Resource of type '{}' with identifier '{}' already exists.",
                    self.type_name, self.identifier
                )),
            ),
            _ => (None, None),
        };
        let event = ProgressEvent {
            hooks_request_token: is_guarded.then(|| self.hooks_request_token.clone()),
            type_name: Some(self.type_name.into()),
            identifier: (second >= 20).then(|| self.identifier.clone()),
            operation: Some(self.operation.clone()),
            retry_after: (!status.is_final()).then(|| at.plus(Duration::from_secs(5))),
            status: Some(status),
            error_code: error_code.map(Into::into),
            status_message: message,
            event_time: Some(at),
            ..ProgressEvent::of(self.key.token.clone())
        };
        let hooks = hooks.filter(|_| is_guarded);
        Sighting {
            key: self.key.clone(),
            seen_at: at.plus(Duration::from_millis(800)),
            source: if hooks.is_some() { Source::Get } else { Source::List },
            seen: Seen::Event(Box::new(event), hooks.map(|status| self.hooks_at(at, &status))),
        }
    }

    fn hooks_at(&self, at: Timestamp, status: &HookStatus) -> Vec<HookProgressEvent> {
        let hook = |(number, name): (usize, &&str)| HookProgressEvent {
            hook_type_name: Some((*name).into()),
            hook_type_version_id: Some("00000003".into()),
            hook_type_arn: Some(format!(
                "arn:aws:cloudformation:eu-west-1:111122223333:type/hook/{}",
                name.replace("::", "-")
            )),
            invocation_point: Some("PRE_PROVISION".into()),
            // Where a hook refuses, it is the first.
            status: Some(match status {
                HookStatus::CompleteFailed if number > 0 => HookStatus::CompleteSucceeded,
                status => status.clone(),
            }),
            event_time: Some(at),
            status_message: Some("Successful validation".into()),
            failure_mode: Some(if number == 0 {
                FailureMode::Fail
            } else {
                FailureMode::Warn
            }),
        };
        self.hooks.iter().enumerate().map(hook).collect()
    }
}
