//! When the lists of a target are due.
//!
//! Discovery has to find what no one told us of. A request that fails within two seconds of its birth is never seen open,
//! and the API can neither sort a list nor ask for what is new. So discovery lists what is open together with what
//! FAILED or was cancelled (`Listing::News`), without SUCCESS, which may number thousands: a quick failure is told within
//! one discovery interval, and a quick success, which is less urgent, within one sweep.
//!
//! What that costs: the list of news grows with the failures of seven days. As long as they fill no page more than what
//! is open does, it is asked for instead, for nothing. Beyond that it may take up to a fifth of the target's calls
//! (`NEWS_SHARE`): with the default pace ten pages each ten seconds, which is a thousand failures a week, and
//! proportionally less often with more. Discovery in between lists only what is open. A sweep shows the same, so the news
//! never wait longer than for one.
//!
//! Rejected: to remember the NextToken at which the new entries of the last listing lay (the order means nothing); a
//! filter by operation to make pages fewer (some FAILED entries have none); to list everything each time (thousands of
//! SUCCESS rows to find one); only what is open, and failures by the sweep (minutes late).
//!
//! Sweeps begin one interval after each other, and a long one is spread over half of the interval. Only the first one
//! after a start is not: it catches up with what was missed, as fast as the budget lets it.
//!
//! Times are uptimes. All intervals are shortened by chance, by up to a tenth, so that targets do not stay in step and none
//! is longer than was asked for.

use std::time::Duration;

use super::cadence::{self, Pace};
use super::plan::{Listing, pages};

/// The share of the budget that discovery may spend on pages that hold nothing but old failures.
const NEWS_SHARE: f64 = 0.2;

/// The share of its interval over which a sweep is spread.
const SWEEP_SHARE: f64 = 0.5;

/// Between two pages of a sweep at the most: pages shift, and tokens age.
const LONGEST_PAGE_PAUSE: Duration = Duration::from_secs(5);

/// When each list is due.
#[derive(Debug, Clone)]
pub struct Timetable {
    open_at: Duration,
    news_at: Duration,
    /// Whether the list of news was no longer than the list of what is open would have been.
    news_are_free: bool,
    sweep_at: Duration,
    /// When the sweep that is under way began.
    sweep_began: Option<Duration>,
    /// How many pages the last sweep had; `None` before the first.
    sweep_pages: Option<usize>,
}

/// What a short listing came to.
#[derive(Debug, Clone, Copy)]
pub struct Discovered {
    pub listing: Listing,
    pub pages: usize,
    /// Requests that are open now.
    pub open: usize,
    /// Since something last changed in the target.
    pub since_change: Duration,
}

impl Timetable {
    /// Everything is due at once.
    pub fn new(now: Duration) -> Self {
        Self {
            open_at: now,
            news_at: now,
            news_are_free: true,
            sweep_at: now,
            sweep_began: None,
            sweep_pages: None,
        }
    }

    /// When a list is due that finds what is new.
    pub fn discovery_at(&self) -> Duration {
        self.open_at.min(self.news_at)
    }

    /// Whether a list that is asked for now, for whatever reason, is to show the news.
    pub fn are_news_due(&self, now: Duration) -> bool {
        self.news_are_free || self.news_at <= now
    }

    /// When a sweep is due, or the next page of the one that is under way.
    pub fn sweep_at(&self) -> Duration {
        self.sweep_at
    }

    /// A short listing is complete.
    pub fn discovered(&mut self, found: &Discovered, pace: &Pace, now: Duration, chance: f64) {
        let wait = shortened(cadence::next_discovery(pace, found.open, found.since_change), chance);
        self.open_at = now + wait;
        if found.listing == Listing::News {
            let more = found.pages.saturating_sub(pages(found.open));
            self.news_are_free = more == 0;
            self.news_at = now + wait.mul_f64(intervals_for(more, pace)).min(pace.sweep_every);
        }
    }

    /// A page of a sweep was read, or failed and will be asked for again: when is the next one due?
    pub fn swept_page(&mut self, pace: &Pace, now: Duration) {
        self.sweep_began.get_or_insert(now);
        self.sweep_at = now + self.sweep_pages.map_or(Duration::ZERO, |pages| page_pause(pages, pace));
    }

    /// A sweep is complete.
    pub fn swept(&mut self, pages: usize, pace: &Pace, now: Duration, chance: f64) {
        let began = self.sweep_began.take().unwrap_or(now);
        let interval = shortened(pace.sweep_every, chance);
        // The next one takes its time, so after one that did not it begins so much earlier: no page is to be older than an
        // interval.
        let longer = match self.sweep_pages.replace(pages) {
            None => page_pause(pages, pace).mul_f64(pages_as_number(pages)),
            Some(_) => Duration::ZERO,
        };
        self.sweep_at = now.max(began + interval.saturating_sub(longer));
    }

    /// Something was missed: the next sweep is due at once. One that is under way goes on.
    pub fn catch_up(&mut self, now: Duration) {
        self.sweep_at = self.sweep_at.min(now);
    }

    /// A listing was given up half-way: it has its turn again after its interval, and the others have theirs meanwhile.
    pub fn gave_up(&mut self, listing: Listing, pace: &Pace, now: Duration) {
        if listing == Listing::Sweep {
            self.sweep_began = None;
            self.sweep_at = now + pace.sweep_every;
        } else {
            self.open_at = now + pace.discover_every;
            self.news_at = self.news_at.max(self.open_at);
        }
    }
}

/// Between two pages of a sweep that has so many.
fn page_pause(pages: usize, pace: &Pace) -> Duration {
    let pause = pace.sweep_every.mul_f64(SWEEP_SHARE).div_f64(pages_as_number(pages));
    pause.min(LONGEST_PAGE_PAUSE)
}

fn shortened(interval: Duration, chance: f64) -> Duration {
    interval.mul_f64(1.0 - 0.1 * chance.clamp(0.0, 1.0))
}

/// In how many discovery intervals once the news may be listed, if that takes so many pages more than what is open.
fn intervals_for(more: usize, pace: &Pace) -> f64 {
    let allowed = (pace.max_calls_per_second * pace.discover_every.as_secs_f64() * NEWS_SHARE).max(1.0);
    (pages_as_number(more) / allowed).ceil().max(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "no listing has 2^52 pages")]
fn pages_as_number(pages: usize) -> f64 {
    pages.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1_000);

    fn after(seconds: u64) -> Duration {
        START + Duration::from_secs(seconds)
    }

    fn discovered(timetable: &mut Timetable, listing: Listing, pages: usize, open: usize, now: Duration) {
        let found = Discovered {
            listing,
            pages,
            open,
            since_change: Duration::ZERO,
        };
        timetable.discovered(&found, &Pace::default(), now, 0.0);
    }

    #[test]
    fn at_first_everything_is_due() {
        let timetable = Timetable::new(START);
        assert_eq!((timetable.discovery_at(), timetable.sweep_at()), (START, START));
        assert!(timetable.are_news_due(START));
    }

    #[test]
    fn news_that_fill_no_page_more_are_in_every_list() {
        let mut timetable = Timetable::new(START);
        discovered(&mut timetable, Listing::News, 1, 3, START);
        assert!(timetable.are_news_due(after(1)));
        assert_eq!(timetable.discovery_at(), after(10));
    }

    #[test]
    fn up_to_a_fifth_of_the_calls_the_news_are_in_every_discovery() {
        let mut timetable = Timetable::new(START);
        discovered(&mut timetable, Listing::News, 11, 3, START);
        assert!(!timetable.are_news_due(after(9)), "no list for looks is made longer");
        // Lists for looks, which find what is open, do not put the news off.
        for second in [4, 8] {
            discovered(&mut timetable, Listing::Open, 1, 3, after(second));
        }
        assert_eq!(timetable.discovery_at(), after(10));
        assert!(timetable.are_news_due(after(10)));
    }

    #[test]
    fn more_news_than_that_are_listed_less_often_but_not_less_than_a_sweep() {
        let mut timetable = Timetable::new(START);
        discovered(&mut timetable, Listing::News, 41, 0, START);
        assert_eq!(timetable.discovery_at(), after(10), "what is open is listed meanwhile");
        assert!(!timetable.are_news_due(after(39)));
        assert!(timetable.are_news_due(after(40)));
        discovered(&mut timetable, Listing::News, 10_000, 0, START);
        assert!(timetable.are_news_due(START + Pace::default().sweep_every));
    }

    #[test]
    fn an_idle_target_is_discovered_seldom() {
        let mut timetable = Timetable::new(START);
        let found = Discovered {
            listing: Listing::News,
            pages: 1,
            open: 0,
            since_change: Duration::MAX,
        };
        timetable.discovered(&found, &Pace::default(), START, 0.0);
        assert_eq!(timetable.discovery_at(), after(60));
    }

    #[test]
    fn the_first_sweep_is_fast_and_the_others_are_spread() {
        let pace = Pace::default();
        let mut timetable = Timetable::new(START);
        timetable.swept_page(&pace, START);
        assert_eq!(timetable.sweep_at(), START, "as fast as the budget lets it");
        timetable.swept(500, &pace, after(100), 0.0);
        assert_eq!(
            timetable.sweep_at(),
            after(150),
            "so that it ends an interval after the first began"
        );
        timetable.swept_page(&pace, after(150));
        assert_eq!(timetable.sweep_at(), after(150) + Duration::from_millis(300));
        timetable.swept(2, &pace, after(300), 0.0);
        assert_eq!(timetable.sweep_at(), after(450), "an interval after it began");
        timetable.swept_page(&pace, after(600));
        assert_eq!(timetable.sweep_at(), after(605), "tokens age");
        // One that takes longer than the interval is followed at once.
        timetable.swept(500, &pace, after(1_500), 0.0);
        assert_eq!(timetable.sweep_at(), after(1_500));
    }

    #[test]
    fn what_was_given_up_waits_for_its_turn() {
        let pace = Pace::default();
        let mut timetable = Timetable::new(START);
        timetable.gave_up(Listing::News, &pace, START);
        assert_eq!(timetable.discovery_at(), after(10));
        timetable.swept_page(&pace, START);
        timetable.gave_up(Listing::Sweep, &pace, after(5));
        assert_eq!(timetable.sweep_at(), after(305));
        timetable.swept(1, &pace, after(305), 0.0);
        assert_eq!(
            timetable.sweep_at(),
            after(600),
            "it began anew, and the next takes five seconds"
        );
        timetable.catch_up(after(400));
        assert_eq!(timetable.sweep_at(), after(400));
    }

    #[test]
    fn chance_shortens_by_a_tenth_at_the_most() {
        let mut timetable = Timetable::new(START);
        timetable.swept(1, &Pace::default(), START, 0.0);
        timetable.swept(1, &Pace::default(), START, 1.0);
        assert_eq!(timetable.sweep_at(), after(270));
    }
}
