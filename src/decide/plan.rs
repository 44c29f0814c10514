//! Which call to make next, of all that a target could be asked.
//!
//! A list shows up to 100 requests for the price of one call, without running anything; a Get shows one request and its
//! hooks. So a Get is for hooks, for a final look, and for what fell out of the list; all other looks that are due share
//! a list where that is cheaper.
//!
//! Claims are served in this order: due looks, discovery, sweep, back-fill of old hooks. But where some have waited for a
//! whole interval of their own, the one that has waited for the most intervals goes first: however small the budget, what
//! was served begins to wait anew, so looks, discovery and sweep all have their turn.

use std::time::Duration;

/// Requests on one page of a list.
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResourceRequests.html>
pub const PAGE: usize = 100;

/// Which listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listing {
    /// What is open: PENDING, IN_PROGRESS, CANCEL_IN_PROGRESS. Answers due looks.
    Open,
    /// What is open, and what FAILED or was cancelled: all but SUCCESS, of which there may be thousands. A request can
    /// be finished when first seen (trap 5), and a quick failure is what people most want to hear of. How often it takes
    /// the place of `Open` in discovery depends on its length: see [`cadence::next_news`](super::cadence::next_news).
    News,
    /// Everything, unknown statuses included.
    Sweep,
}

/// What a target could be asked just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Claims {
    /// Whether lists may be asked for: they, or the budget, may be paused.
    pub may_list: bool,
    /// Due looks that only a Get can answer.
    pub due_gets: usize,
    /// How long the first of them has been due.
    pub gets_overdue: Option<Duration>,
    /// Due looks that a list could answer as well.
    pub due_looks: usize,
    /// Open requests: what a list of them would hold.
    pub open: usize,
    /// How long discovery and sweep have been due, or have waited for their next page; `None` if they are not.
    pub discovery_overdue: Option<Duration>,
    /// Whether discovery is to list the news, and not only what is open.
    pub news_due: bool,
    pub sweep_overdue: Option<Duration>,
    /// Old hooks to read for the history alone.
    pub back_fill: usize,
    /// The short listing (of what is open, or of news) that is under way and has more pages.
    pub listing: Option<Listing>,
    /// Whether a sweep is under way and has more pages.
    pub sweeping: bool,
}

/// The next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Get the due request that has waited longest among those that need a Get; if there is none, among all.
    Get,
    /// Start this listing, or ask for its next page if it is under way.
    List(Listing),
    /// Get a request of the back-fill.
    BackFill,
}

/// Chooses. `None`: nothing to do for now.
pub fn next_call(claims: &Claims, discover_every: Duration, sweep_every: Duration) -> Option<Call> {
    if !claims.may_list {
        let due = claims.due_gets + claims.due_looks > 0;
        return if due {
            Some(Call::Get)
        } else {
            (claims.back_fill > 0).then_some(Call::BackFill)
        };
    }
    // A short listing that was begun is brought to its end first: it answers looks, and its pages age. A sweep is long
    // and yields between its pages.
    if let Some(listing) = claims.listing {
        return Some(Call::List(listing));
    }
    let discovery = Call::List(if claims.news_due { Listing::News } else { Listing::Open });
    let starving = [
        (claims.gets_overdue, discover_every, Call::Get),
        (claims.discovery_overdue, discover_every, discovery),
        (claims.sweep_overdue, sweep_every, Call::List(Listing::Sweep)),
    ];
    let intervals = |overdue: Option<Duration>, every: Duration| {
        overdue
            .filter(|overdue| *overdue >= every)
            .map(|overdue| overdue.as_secs_f64() / every.as_secs_f64())
    };
    let starved = starving
        .into_iter()
        .filter_map(|(overdue, every, call)| Some((intervals(overdue, every)?, call)));
    if let Some((_, call)) = starved.max_by(|a, b| a.0.total_cmp(&b.0)) {
        return Some(call);
    }
    if claims.due_gets > 0 {
        return Some(Call::Get);
    }
    if claims.discovery_overdue.is_some() {
        // It answers every due look that a list can answer.
        return Some(discovery);
    }
    if claims.due_looks > 0 {
        let pages = claims.open.div_ceil(PAGE).max(1);
        return Some(if claims.due_looks > pages {
            Call::List(Listing::Open)
        } else {
            Call::Get
        });
    }
    if claims.sweeping || claims.sweep_overdue.is_some() {
        return Some(Call::List(Listing::Sweep));
    }
    (claims.back_fill > 0).then_some(Call::BackFill)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Option<Duration> = Some(Duration::ZERO);
    const LONG: Option<Duration> = Some(Duration::from_hours(1));

    fn next(claims: Claims) -> Option<Call> {
        let claims = Claims {
            may_list: true,
            ..claims
        };
        next_call(&claims, Duration::from_secs(10), Duration::from_mins(5))
    }

    #[test]
    fn nothing_due_is_nothing_to_do() {
        assert_eq!(next(Claims::default()), None);
        assert_eq!(
            next(Claims {
                open: 500,
                ..Claims::default()
            }),
            None
        );
    }

    #[test]
    fn a_list_answers_looks_where_it_is_cheaper() {
        let due = |due_looks, open| Claims {
            due_looks,
            open,
            ..Claims::default()
        };
        assert_eq!(next(due(1, 1)), Some(Call::Get));
        assert_eq!(next(due(2, 2)), Some(Call::List(Listing::Open)));
        assert_eq!(next(due(40, 4_000)), Some(Call::Get));
        assert_eq!(next(due(41, 4_000)), Some(Call::List(Listing::Open)));
        // Discovery is due anyway, and answers them all.
        let with_discovery = Claims {
            discovery_overdue: SOON,
            news_due: true,
            ..due(1, 1)
        };
        assert_eq!(next(with_discovery), Some(Call::List(Listing::News)));
    }

    #[test]
    fn claims_are_served_in_order() {
        let mut claims = Claims {
            may_list: true,
            due_gets: 1,
            gets_overdue: SOON,
            due_looks: 1,
            open: 1,
            discovery_overdue: SOON,
            news_due: true,
            sweep_overdue: SOON,
            back_fill: 1,
            listing: Some(Listing::Open),
            sweeping: true,
        };
        assert_eq!(next(claims), Some(Call::List(Listing::Open)));
        claims.listing = None;
        assert_eq!(next(claims), Some(Call::Get));
        claims.due_gets = 0;
        assert_eq!(next(claims), Some(Call::List(Listing::News)));
        claims.discovery_overdue = None;
        assert_eq!(next(claims), Some(Call::Get));
        claims.due_looks = 0;
        assert_eq!(next(claims), Some(Call::List(Listing::Sweep)));
        claims.sweeping = false;
        assert_eq!(next(claims), Some(Call::List(Listing::Sweep)));
        claims.sweep_overdue = None;
        assert_eq!(next(claims), Some(Call::BackFill));
    }

    #[test]
    fn while_lists_are_paused_gets_go_on() {
        let claims = Claims {
            due_looks: 500,
            open: 500,
            discovery_overdue: LONG,
            listing: Some(Listing::News),
            ..Claims::default()
        };
        assert_eq!(
            next_call(&claims, Duration::from_secs(10), Duration::from_mins(5)),
            Some(Call::Get)
        );
    }

    /// However few calls there are, none of the three waits for ever.
    #[test]
    fn each_claim_has_its_turn_on_any_budget() {
        let (discover_every, sweep_every) = (Duration::from_secs(10), Duration::from_mins(5));
        for seconds_a_call in [1, 20, 60, 900] {
            let (mut get, mut discovery, mut sweep) = (0, 0, 0);
            let (mut gets, mut discoveries, mut sweeps) = (0, 0, 0);
            for now in (0..400 * seconds_a_call).step_by(usize::try_from(seconds_a_call).unwrap()) {
                let since = |then: u64| Some(Duration::from_secs(now - then));
                let claims = Claims {
                    may_list: true,
                    due_gets: 10_000,
                    gets_overdue: since(get),
                    discovery_overdue: since(discovery),
                    sweep_overdue: since(sweep),
                    ..Claims::default()
                };
                match next_call(&claims, discover_every, sweep_every) {
                    Some(Call::Get) => (get, gets) = (now, gets + 1),
                    Some(Call::List(Listing::Sweep)) => (sweep, sweeps) = (now, sweeps + 1),
                    Some(Call::List(_)) => (discovery, discoveries) = (now, discoveries + 1),
                    other => panic!("{other:?}"),
                }
            }
            assert!(
                gets.min(discoveries).min(sweeps) > 0,
                "{seconds_a_call}: {gets} {discoveries} {sweeps}"
            );
        }
    }
}
