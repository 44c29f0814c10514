//! How hooks did.

use std::collections::BTreeMap;

use super::{Durations, HookFacts, HookOutcome};
use crate::model::Timestamp;

/// What tells one version of a hook from another. A hook's type may be deployed many times; each has a version id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HookVersion {
    pub hook_type_name: Option<String>,
    pub hook_type_version_id: Option<String>,
}

/// What one version of a hook did.
#[derive(Debug, Clone)]
pub struct Score {
    pub passed: u64,
    /// Failed in FAIL mode.
    pub blocked: u64,
    /// Failed in WARN mode: would have blocked in FAIL mode.
    pub warned: u64,
    /// Failed in a mode that is not known.
    pub failed_in_unknown_mode: u64,
    /// No end was seen.
    pub running: u64,
    /// Those of the failed ones in which the hook broke (HOOK_FAILED) and did not judge.
    pub broken: u64,
    /// As ccwatch saw it: from its first look at the hook to the look that saw its end. Of those that took longer than one
    /// look.
    pub latencies: Durations,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
}

impl Score {
    fn new(at: Timestamp) -> Self {
        Self {
            passed: 0,
            blocked: 0,
            warned: 0,
            failed_in_unknown_mode: 0,
            running: 0,
            broken: 0,
            latencies: Durations::default(),
            first_seen_at: at,
            last_seen_at: at,
        }
    }

    pub fn invocations(&self) -> u64 {
        self.passed + self.blocked + self.warned + self.failed_in_unknown_mode + self.running
    }

    fn add(&mut self, hook: &HookFacts<'_>) {
        *match hook.outcome {
            HookOutcome::Passed => &mut self.passed,
            HookOutcome::Blocked => &mut self.blocked,
            HookOutcome::Warned => &mut self.warned,
            HookOutcome::FailedInUnknownMode => &mut self.failed_in_unknown_mode,
            HookOutcome::Running => &mut self.running,
        } += 1;
        self.broken += u64::from(hook.is_broken);
        if let Some(latency) = hook.latency {
            self.latencies.add(latency);
        }
        self.first_seen_at = self.first_seen_at.min(hook.first_seen_at);
        self.last_seen_at = self.last_seen_at.max(hook.first_seen_at);
    }

    fn merge(&mut self, other: &Self) {
        self.passed += other.passed;
        self.blocked += other.blocked;
        self.warned += other.warned;
        self.failed_in_unknown_mode += other.failed_in_unknown_mode;
        self.running += other.running;
        self.broken += other.broken;
        self.latencies.merge(&other.latencies);
        self.first_seen_at = self.first_seen_at.min(other.first_seen_at);
        self.last_seen_at = self.last_seen_at.max(other.last_seen_at);
    }
}

/// A score for each version of each hook.
#[derive(Debug, Clone, Default)]
pub struct Scorecard {
    scores: BTreeMap<HookVersion, Score>,
}

impl Scorecard {
    pub fn add(&mut self, hook: &HookFacts<'_>) {
        let version = HookVersion {
            hook_type_name: hook.hook_type_name.map(str::to_owned),
            hook_type_version_id: hook.hook_type_version_id.map(str::to_owned),
        };
        self.scores
            .entry(version)
            .or_insert_with(|| Score::new(hook.first_seen_at))
            .add(hook);
    }

    pub fn merge(&mut self, other: &Self) {
        for (version, score) in &other.scores {
            match self.scores.get_mut(version) {
                Some(known) => known.merge(score),
                None => drop(self.scores.insert(version.clone(), score.clone())),
            }
        }
    }

    /// By name; the version that was seen last comes first.
    pub fn rows(&self) -> Vec<(&HookVersion, &Score)> {
        let mut rows: Vec<_> = self.scores.iter().collect();
        rows.sort_by(|(one, score), (other, other_score)| {
            let by_name = one.hook_type_name.cmp(&other.hook_type_name);
            by_name.then(other_score.last_seen_at.cmp(&score.last_seen_at))
        });
        rows
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seen(version: &'static str, second: i64, outcome: HookOutcome) -> HookFacts<'static> {
        HookFacts {
            first_seen_at: Timestamp::from_millis(second * 1000),
            hook_type_name: Some("Acme::Guard::Encryption"),
            hook_type_version_id: Some(version),
            outcome,
            is_broken: false,
            latency: Some(Duration::from_secs(2)),
        }
    }

    #[test]
    fn versions_are_apart_and_the_one_seen_last_comes_first() {
        let mut scorecard = Scorecard::default();
        for (version, second, outcome) in [
            ("00000001", 1, HookOutcome::Passed),
            ("00000002", 9, HookOutcome::Blocked),
            ("00000001", 5, HookOutcome::Warned),
            ("00000001", 3, HookOutcome::Running),
            ("00000002", 7, HookOutcome::FailedInUnknownMode),
        ] {
            scorecard.add(&seen(version, second, outcome));
        }
        let rows = scorecard.rows();
        let versions: Vec<_> = rows
            .iter()
            .map(|(version, _)| version.hook_type_version_id.as_deref())
            .collect();
        assert_eq!(versions, [Some("00000002"), Some("00000001")]);
        let (new, old) = (rows[0].1, rows[1].1);
        assert_eq!((new.blocked, new.failed_in_unknown_mode, new.invocations()), (1, 1, 2));
        assert_eq!((old.passed, old.warned, old.running, old.invocations()), (1, 1, 1, 3));
        let times = [old.first_seen_at, old.last_seen_at].map(Timestamp::as_millis);
        assert_eq!(times, [1000, 5000]);
    }
}
