//! Which call to make next, of all that a target could be asked.
//!
//! A list shows up to 100 requests for the price of one call, without running anything; a Get shows one request and its
//! hooks. So a Get is for hooks, for a final look, and for what fell out of the list; all other looks that are due share
//! a list where that is cheaper.
//!
//! Claims are served in this order: due looks, discovery, sweep, back-fill of old hooks. A claim that has waited for a
//! whole interval of its own goes first, so that a target which uses its budget up for looks still discovers and still
//! sweeps.

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
    /// Due looks that only a Get can answer.
    pub due_gets: usize,
    /// Due looks that a list could answer as well.
    pub due_looks: usize,
    /// Open requests: what a list of them would hold.
    pub open: usize,
    /// How long discovery and sweep have been due; `None` if they are not.
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
    // A short listing that was begun is brought to its end first: it answers looks, and its pages age. A sweep is long
    // and yields between its pages.
    if let Some(listing) = claims.listing {
        return Some(Call::List(listing));
    }
    let discovery = Call::List(if claims.news_due { Listing::News } else { Listing::Open });
    let starves = |overdue: Option<Duration>, every| overdue.is_some_and(|overdue| overdue >= every);
    if starves(claims.discovery_overdue, discover_every) {
        return Some(discovery);
    }
    if starves(claims.sweep_overdue, sweep_every) {
        return Some(Call::List(Listing::Sweep));
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
            due_gets: 1,
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
    fn looks_without_end_starve_neither_discovery_nor_sweep() {
        let busy = Claims {
            due_gets: 1_000,
            discovery_overdue: SOON,
            sweep_overdue: LONG,
            ..Claims::default()
        };
        assert_eq!(next(busy), Some(Call::List(Listing::Sweep)));
        let overdue = Claims {
            discovery_overdue: LONG,
            ..busy
        };
        assert_eq!(next(overdue), Some(Call::List(Listing::Open)));
        assert_eq!(
            next(Claims {
                news_due: true,
                ..overdue
            }),
            Some(Call::List(Listing::News))
        );
    }
}
