//! Gets: looks at one request and its hooks.

use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::{Poller, unless_stopped};
use crate::cloud::{Cause, Failure, Looked};
use crate::model::{RequestToken, Seen, Source, printable};
use crate::watch::Memory;

impl<M: Memory> Poller<M> {
    pub(super) async fn get(&mut self, token: RequestToken, stop: &CancellationToken) -> Result<(), M::Error> {
        let asked = self.clock.uptime();
        self.got_at = asked;
        let Some(answer) = unless_stopped(self.client.get(&token), stop).await else {
            return Ok(());
        };
        let (_, result) = self.heard(answer, asked);
        let seen_at = self.clock.now();
        let seen = match result {
            Ok(Looked::Seen(event, hooks)) => Seen::Event(event, Some(hooks)),
            Ok(Looked::Gone) => Seen::Gone,
            Err(failure) => {
                self.get_failed(&token, &failure);
                return self.open_gap(stop).await;
            }
        };
        let sighting = self.sighting(token, seen_at, Source::Get, seen);
        self.remember(vec![sighting], Source::Get, stop).await?;
        if self.gets.succeeded(seen_at) {
            info!(target_name = %self.watched.target.name, "GetResourceRequestStatus works again");
        }
        self.failed_gets = 0;
        self.close_gap(seen_at, stop).await
    }

    /// One request that can't be looked at is left alone for a while; several Gets in a row that fail, or one that only a
    /// person or patience can mend, are the target's trouble.
    fn get_failed(&mut self, token: &RequestToken, failure: &Failure) {
        /// So many failures in a row are no longer one request's.
        const A_ROW: u32 = 3;
        let now = self.server_time();
        self.agenda.postpone(token, &self.pace, now);
        self.failed_gets = self.failed_gets.saturating_add(1);
        if failure.cause.needs_a_person() || failure.cause == Cause::Throttled || self.failed_gets >= A_ROW {
            let what = (failure.cause, failure.cause.needs_a_person(), failure.to_string());
            let (now, uptime, chance) = (self.clock.now(), self.clock.uptime(), self.random.f64());
            let is_news = self.gets.failed(what, now, uptime, self.pace.idle_every, chance);
            self.tell("GetResourceRequestStatus", failure, is_news);
        } else {
            let token = printable(token.as_str());
            debug!(target_name = %self.watched.target.name, %token, error = %failure, "a request could not be looked at");
        }
    }
}
