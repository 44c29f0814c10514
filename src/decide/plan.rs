//! Which call to make next, of all that a target could be asked.
//!
//! A list shows up to 100 requests for the price of one call, without running anything; a Get shows one request and its
//! hooks. So a Get is for hooks, for a final look, and for what fell out of the list; all other looks that are due share
//! a list where that is cheaper.
//!
//! Looks that fall due within [`BOARDING`] of each other ride together: a list for them waits that long for the last one.
//! Since it shows every open request, and each answer brings a new RetryAfter, requests that share a list once go on
//! sharing it. It shows the news as well where that costs no call more, and then it is a discovery, too.
//!
//! Claims are served in this order: due looks, discovery, sweep, back-fill of old hooks. But where some have waited for a
//! whole interval of their own, the one that has waited for the most intervals goes first: however small the budget, what
//! was served begins to wait anew, so looks, discovery and sweep all have their turn.

use std::time::Duration;

/// Requests on one page of a list.
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResourceRequests.html>
pub const PAGE: usize = 100;

/// How long a due look waits at the most for others that could share its list.
pub const BOARDING: Duration = Duration::from_millis(500);

/// Which listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listing {
    /// What is open: PENDING, IN_PROGRESS, CANCEL_IN_PROGRESS. Answers due looks.
    Open,
    /// What is open, and what FAILED or was cancelled: all but SUCCESS, of which there may be thousands. A request can
    /// be finished when first seen (trap 5), and a quick failure is what people most want to hear of. How often it takes
    /// the place of `Open` depends on its length: see [`timetable`](super::timetable).
    News,
    /// Everything, unknown statuses included.
    Sweep,
}

/// What a target could be asked just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Claims {
    /// Whether lists may be asked for: they, or the budget, may be paused.
    pub may_list: bool,
    /// How long the first of the looks that only a Get can answer has been due; `None` if none is.
    pub get_overdue: Option<Duration>,
    /// Due looks that a list could answer as well; `None` if there are none.
    pub looks: Option<Looks>,
    /// Open requests: what a list of them would hold.
    pub open: usize,
    /// How long discovery has been due, and how long a sweep has, or its next page; `None` if they are not.
    pub discovery_overdue: Option<Duration>,
    /// Whether a list is to show the news, and not only what is open.
    pub news_due: bool,
    pub sweep_overdue: Option<Duration>,
    /// Whether old hooks are to be read for the history alone.
    pub back_fill: bool,
    /// The short listing (of what is open, or of news) that is under way and has more pages.
    pub listing: Option<Listing>,
}

/// Looks that a list could answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// How long the first of them has been due.
    pub overdue: Duration,
    /// How many are due, and how many more fall due until the first has been for [`BOARDING`]. What matters is whether
    /// they are more than the pages of a list: nobody need count further.
    pub due: usize,
    pub boarding: usize,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Call(Call),
    /// Nothing until then, or until something else falls due: looks wait for others to share their list.
    Board(Duration),
    Nothing,
}

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Get the due request that has waited longest among those that need a Get; if there is none, among all.
    Get,
    /// Start this listing, or ask for its next page if it is under way.
    List(Listing),
    /// Get a request of the back-fill.
    BackFill,
}

/// Chooses.
pub fn next(claims: &Claims, discover_every: Duration, sweep_every: Duration) -> Next {
    if !claims.may_list {
        return if claims.get_overdue.is_some() || claims.looks.is_some() {
            Next::Call(Call::Get)
        } else {
            back_fill(claims)
        };
    }
    // A short listing that was begun is brought to its end first: it answers looks, and its pages age. A sweep is long
    // and yields between its pages.
    if let Some(listing) = claims.listing {
        return Next::Call(Call::List(listing));
    }
    let discovery = Call::List(if claims.news_due { Listing::News } else { Listing::Open });
    let starving = [
        (claims.get_overdue, discover_every, Call::Get),
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
        return Next::Call(call);
    }
    if claims.get_overdue.is_some() {
        return Next::Call(Call::Get);
    }
    if claims.discovery_overdue.is_some() {
        // It answers every due look that a list can answer.
        return Next::Call(discovery);
    }
    let boarding = match claims.looks {
        None => None,
        Some(looks) if looks.due + looks.boarding <= pages(claims.open) => return Next::Call(Call::Get),
        Some(looks) if looks.boarding == 0 || looks.overdue >= BOARDING => return Next::Call(discovery),
        Some(looks) => Some(BOARDING.saturating_sub(looks.overdue)),
    };
    if claims.sweep_overdue.is_some() {
        return Next::Call(Call::List(Listing::Sweep));
    }
    match (back_fill(claims), boarding) {
        (Next::Nothing, Some(wait)) => Next::Board(wait),
        (next, _) => next,
    }
}

/// How many pages a list of so many requests has.
pub fn pages(requests: usize) -> usize {
    requests.div_ceil(PAGE).max(1)
}

fn back_fill(claims: &Claims) -> Next {
    if claims.back_fill {
        Next::Call(Call::BackFill)
    } else {
        Next::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Option<Duration> = Some(Duration::ZERO);
    const LONG: Option<Duration> = Some(Duration::from_hours(1));
    const GET: Next = Next::Call(Call::Get);
    const OPEN: Next = Next::Call(Call::List(Listing::Open));
    const NEWS: Next = Next::Call(Call::List(Listing::News));
    const SWEEP: Next = Next::Call(Call::List(Listing::Sweep));
    const BACK_FILL: Next = Next::Call(Call::BackFill);

    fn chosen(claims: Claims) -> Next {
        next(&claims, Duration::from_secs(10), Duration::from_mins(5))
    }

    fn claims(open: usize) -> Claims {
        Claims {
            may_list: true,
            open,
            ..Claims::default()
        }
    }

    fn looks(due: usize, boarding: usize, overdue_ms: u64) -> Looks {
        Looks {
            overdue: Duration::from_millis(overdue_ms),
            due,
            boarding,
        }
    }

    #[test]
    fn nothing_due_is_nothing_to_do() {
        assert_eq!(chosen(Claims::default()), Next::Nothing);
        assert_eq!(chosen(claims(500)), Next::Nothing);
    }

    #[test]
    fn a_list_answers_looks_where_it_is_cheaper() {
        let due = |due, open| Claims {
            looks: Some(looks(due, 0, 0)),
            ..claims(open)
        };
        assert_eq!(chosen(due(1, 1)), GET);
        assert_eq!(chosen(due(2, 2)), OPEN);
        assert_eq!(chosen(due(40, 4_000)), GET);
        assert_eq!(chosen(due(41, 4_000)), OPEN);
        // Discovery is due anyway, and answers them all.
        let with_discovery = Claims {
            discovery_overdue: SOON,
            news_due: true,
            ..due(1, 1)
        };
        assert_eq!(chosen(with_discovery), NEWS);
        // Where the news cost nothing more, the list shows them, too.
        let with_news = Claims {
            news_due: true,
            ..due(2, 2)
        };
        assert_eq!(chosen(with_news), NEWS);
    }

    #[test]
    fn looks_that_fall_due_together_ride_together() {
        let due = |due, boarding, overdue_ms| Claims {
            looks: Some(looks(due, boarding, overdue_ms)),
            ..claims(1_000)
        };
        // Ten pages: a list is worth it for eleven looks.
        assert_eq!(chosen(due(5, 5, 0)), GET);
        assert_eq!(chosen(due(5, 6, 100)), Next::Board(Duration::from_millis(400)));
        assert_eq!(chosen(due(11, 0, 0)), OPEN, "nobody else to wait for");
        assert_eq!(chosen(due(5, 6, 500)), OPEN, "waited long enough");
        // Whoever waits is in nobody's way.
        let sweeping = Claims {
            sweep_overdue: SOON,
            ..due(5, 6, 100)
        };
        assert_eq!(chosen(sweeping), SWEEP);
        let filling = Claims {
            back_fill: true,
            ..due(5, 6, 100)
        };
        assert_eq!(chosen(filling), BACK_FILL);
    }

    #[test]
    fn claims_are_served_in_order() {
        let mut claims = Claims {
            may_list: true,
            get_overdue: SOON,
            looks: Some(looks(1, 0, 0)),
            open: 1,
            discovery_overdue: SOON,
            news_due: true,
            sweep_overdue: SOON,
            back_fill: true,
            listing: Some(Listing::Open),
        };
        assert_eq!(chosen(claims), OPEN);
        claims.listing = None;
        assert_eq!(chosen(claims), GET);
        claims.get_overdue = None;
        assert_eq!(chosen(claims), NEWS);
        claims.discovery_overdue = None;
        assert_eq!(chosen(claims), GET);
        claims.looks = None;
        assert_eq!(chosen(claims), SWEEP);
        claims.sweep_overdue = None;
        assert_eq!(chosen(claims), BACK_FILL);
    }

    #[test]
    fn while_lists_are_paused_gets_go_on() {
        let paused = Claims {
            may_list: false,
            looks: Some(looks(500, 0, 0)),
            discovery_overdue: LONG,
            listing: Some(Listing::News),
            ..claims(500)
        };
        assert_eq!(chosen(paused), GET);
    }

    /// However few calls there are, none of the three waits for ever.
    #[test]
    fn each_claim_has_its_turn_on_any_budget() {
        for seconds_a_call in [1, 20, 60, 900] {
            let (mut get, mut discovery, mut sweep) = (0, 0, 0);
            let (mut gets, mut discoveries, mut sweeps) = (0, 0, 0);
            for now in (0..400 * seconds_a_call).step_by(usize::try_from(seconds_a_call).unwrap()) {
                let since = |then: u64| Some(Duration::from_secs(now - then));
                let claims = Claims {
                    get_overdue: since(get),
                    discovery_overdue: since(discovery),
                    sweep_overdue: since(sweep),
                    ..claims(10_000)
                };
                match chosen(claims) {
                    GET => (get, gets) = (now, gets + 1),
                    SWEEP => (sweep, sweeps) = (now, sweeps + 1),
                    Next::Call(Call::List(_)) => (discovery, discoveries) = (now, discoveries + 1),
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
