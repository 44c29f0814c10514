//! Lists: discovery, looks that share one, and sweeps.

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Gap, Poller, unless_stopped};
use crate::cloud::{Cause, Failure};
use crate::decide::Baseline;
use crate::decide::plan::Listing;
use crate::decide::timetable::Discovered;
use crate::model::{ProgressEvent, RequestToken, Seen, Source, Timestamp};
use crate::watch::Memory;
use crate::watch::agenda::Need;
use crate::watch::listing::{self, Page, Progress};
use crate::watch::settled;

impl<M: Memory> Poller<M> {
    pub(super) async fn list(&mut self, listing: Listing, stop: &CancellationToken) -> Result<(), M::Error> {
        let under_way = if listing == Listing::Sweep {
            self.sweep.take()
        } else {
            self.listing.take()
        };
        let mut progress = match under_way {
            Some(progress) if progress.listing == listing => progress,
            _ => Progress::begin(listing, self.agenda.open_tokens()),
        };
        let asked = self.clock.uptime();
        let call = self.client.list(listing::statuses(listing), progress.next());
        let Some(answer) = unless_stopped(call, stop).await else {
            return Ok(());
        };
        let (server_time, result) = self.heard(answer, asked);
        let page = match result {
            Ok(page) => page,
            Err(failure) => {
                if progress.failed() {
                    self.keep(progress);
                } else {
                    self.timetable.gave_up(listing, &self.pace, self.clock.uptime());
                }
                return self.list_failed(listing, &failure, stop).await;
            }
        };
        if !page.is_list && (self.agenda.open() > 0 || progress.next().is_some()) {
            let failure = Failure::new(
                Cause::Malformed,
                "an answer without a list, though there are open requests",
            );
            self.timetable.gave_up(listing, &self.pace, self.clock.uptime());
            return self.list_failed(listing, &failure, stop).await;
        }
        if self.watched.baseline.is_none() {
            let target = self.watched.target.id;
            self.insist(stop, move |memory| async move {
                memory.begin_baseline(target, server_time).await
            })
            .await?;
            self.watched.baseline = Some(Baseline::Since(server_time));
        }
        if page.without_token > 0 && !std::mem::replace(&mut self.told_without_token, true) {
            warn!(target_name = %self.watched.target.name, entries = page.without_token,
                "a list held entries without a RequestToken, which are about nothing: left out");
        }
        let seen_at = self.clock.now();
        let shown: Vec<RequestToken> = page.events.iter().map(|event| event.request_token.clone()).collect();
        self.remember_list(page.events, seen_at, stop).await?;
        match progress.page(shown.iter(), page.next) {
            Page::More => {
                self.keep(progress);
                Ok(())
            }
            Page::Last(missing) => self.listed(listing, &missing, progress.pages, seen_at, stop).await,
            Page::Astray => {
                let failure = Failure::new(
                    Cause::Malformed,
                    "the list of requests leads in a circle (a repeated NextToken)",
                );
                self.timetable.gave_up(listing, &self.pace, self.clock.uptime());
                self.list_failed(listing, &failure, stop).await
            }
        }
    }

    /// Has the events of a page remembered, those aside that the history holds already.
    async fn remember_list(
        &mut self,
        events: Vec<ProgressEvent>,
        seen_at: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
        let uptime = self.clock.uptime();
        let unsettled = events.into_iter().filter(|event| !self.settled.holds(event, uptime));
        let (fingerprints, sightings): (HashMap<_, _>, Vec<_>) = unsettled
            .map(|event| {
                let token = event.request_token.clone();
                let print = (token.clone(), settled::fingerprint(&event));
                (
                    print,
                    self.sighting(token, seen_at, Source::List, Seen::Event(Box::new(event), None)),
                )
            })
            .unzip();
        if sightings.is_empty() {
            return Ok(());
        }
        for token in self.remember(sightings, Source::List, stop).await? {
            if let Some(print) = fingerprints.get(&token) {
                self.settled.recorded(token, *print, uptime);
            }
        }
        Ok(())
    }

    fn keep(&mut self, progress: Progress) {
        if progress.listing == Listing::Sweep {
            self.timetable.swept_page(&self.pace, self.clock.uptime());
            self.sweep = Some(progress);
        } else {
            self.listing = Some(progress);
        }
    }

    /// A listing is complete.
    async fn listed(
        &mut self,
        listing: Listing,
        missing: &[RequestToken],
        pages: usize,
        seen_at: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
        let now = self.server_time();
        for token in missing {
            self.agenda.left_list(token, now);
        }
        let (uptime, chance) = (self.clock.uptime(), self.random.f64());
        if listing == Listing::Sweep {
            self.settled.forget_expired(uptime);
            self.timetable.swept(pages, &self.pace, uptime, chance);
            self.complete_baseline(stop).await?;
        } else {
            let found = Discovered {
                listing,
                pages,
                open: self.agenda.open(),
                since_change: self.changed_at.map_or(Duration::MAX, |at| uptime.saturating_sub(at)),
            };
            self.timetable.discovered(&found, &self.pace, uptime, chance);
        }
        self.list_succeeded(listing, seen_at, stop).await
    }

    async fn complete_baseline(&mut self, stop: &CancellationToken) -> Result<(), M::Error> {
        let Some(Baseline::Since(began)) = self.watched.baseline else {
            return Ok(());
        };
        let (target, now) = (self.watched.target.id, self.clock.now());
        self.insist(stop, move |memory| async move {
            memory.complete_baseline(target, now).await
        })
        .await?;
        self.watched.baseline = Some(Baseline::Complete(began));
        info!(target_name = %self.watched.target.name, "the first sweep is complete: what is new from here on is news");
        Ok(())
    }

    async fn list_succeeded(
        &mut self,
        listing: Listing,
        at: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
        let outage = if listing == Listing::Sweep {
            &mut self.sweeps
        } else {
            &mut self.lists
        };
        let was_out = outage.gap().is_some();
        if outage.succeeded(at) {
            info!(target_name = %self.watched.target.name, "the target can be looked at again");
        }
        if listing == Listing::Sweep {
            return Ok(());
        }
        self.memory.looked(self.watched.target.id, at);
        if self.agenda.needs_no_get() {
            // Nothing is left that could show that Gets work again.
            self.gets.succeeded(at);
        }
        // Law 7: no call failed, and yet nothing was looked at.
        let silent_since = self.silent_since.take();
        if was_out || silent_since.is_some() {
            // What began and ended meanwhile is in no short list.
            self.sweeps.may_have_passed();
            self.timetable.catch_up(self.clock.uptime());
        }
        if let Some(since) = silent_since
            && self.gap != Gap::Open
        {
            let reason =
                "nothing was looked at: the machine or ccwatch stood still, or the history could not be written";
            self.write_gap(since, reason, stop).await?;
            self.gap = Gap::Open;
        }
        self.tell_whether_behind();
        self.close_gap(at, stop).await
    }

    /// Says so, once, when Gets fall due faster than they may be made: nothing fails then, it only gets late.
    fn tell_whether_behind(&mut self) {
        /// Gets that wait for longer do so for want of calls.
        const LATE: Duration = Duration::from_mins(1);
        let first = self.agenda.first(Need::Get);
        let late = first.map_or(Duration::ZERO, |at| self.server_time().since(at));
        let target_name = &self.watched.target.name;
        if late > LATE && self.gets.pause(self.clock.uptime()).is_none() {
            if !std::mem::replace(&mut self.told_behind, true) {
                warn!(%target_name, late_by = ?late, max_calls_per_second = self.pace.max_calls_per_second,
                    "more looks fall due than may be made: ends and hooks are told late; allow more calls a second, or \
                     fewer targets in this account and Region");
            }
        } else if late.is_zero() && std::mem::take(&mut self.told_behind) {
            info!(%target_name, "looks are made in time again");
        }
    }

    async fn list_failed(
        &mut self,
        listing: Listing,
        failure: &Failure,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
        let what = (failure.cause, failure.cause.needs_a_person(), failure.to_string());
        let (now, uptime, chance) = (self.clock.now(), self.clock.uptime(), self.random.f64());
        let outage = if listing == Listing::Sweep {
            &mut self.sweeps
        } else {
            &mut self.lists
        };
        let is_news = outage.failed(what, now, uptime, self.pace.idle_every, chance);
        self.tell("ListResourceRequests", failure, is_news);
        self.open_gap(stop).await
    }
}
