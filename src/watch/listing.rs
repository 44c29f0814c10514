//! A listing under way: where it is, what it has shown, and whether it can be trusted to have shown everything.
//!
//! Pages shift while they are read, tokens repeat, calls fail in the middle (trap 10). A listing goes on from the token
//! that it has; it counts as complete only when a page came without one, and a request that it did not hold is then a
//! reason to ask for that request, no more.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::decide::plan::Listing;
use crate::model::{RequestStatus, RequestToken};

/// No real sweep is longer: two million requests in seven days are three each second. What goes on is not a listing.
const MOST_PAGES_OF_A_SWEEP: usize = 20_000;
/// A short listing holds up everything else, and is given up sooner.
const MOST_PAGES: usize = 2_000;

/// Failures after which a listing is begun anew instead of going on: its token may have expired.
const MOST_FAILURES: u32 = 3;

#[derive(Debug)]
pub(super) struct Progress {
    pub(super) listing: Listing,
    /// Where the next page begins; `None` before the first.
    next: Option<String>,
    /// Fingerprints of the tokens so far.
    tokens: HashSet<u64>,
    /// What was open when it began and has not been shown yet.
    missing: BTreeSet<RequestToken>,
    failures: u32,
    /// Pages that were read.
    pub(super) pages: usize,
}

/// What follows from a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// There are more.
    More,
    /// It was the last: these were open when the listing began, and it did not hold them.
    Last(Vec<RequestToken>),
    /// It leads back to where the listing has been, or has no end: not to be trusted.
    Astray,
}

impl Progress {
    pub(super) fn begin<'a>(listing: Listing, open: impl Iterator<Item = &'a RequestToken>) -> Self {
        Self {
            listing,
            next: None,
            tokens: HashSet::new(),
            missing: open.cloned().collect(),
            failures: 0,
            pages: 0,
        }
    }

    /// The token of the page that is to be asked for.
    pub(super) fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Takes in a page.
    pub(super) fn page<'a>(&mut self, shown: impl Iterator<Item = &'a RequestToken>, next: Option<String>) -> Page {
        for token in shown {
            self.missing.remove(token);
        }
        self.failures = 0;
        self.pages += 1;
        let Some(next) = next else {
            return Page::Last(std::mem::take(&mut self.missing).into_iter().collect());
        };
        let most = if self.listing == Listing::Sweep {
            MOST_PAGES_OF_A_SWEEP
        } else {
            MOST_PAGES
        };
        if self.tokens.len() >= most || !self.tokens.insert(fingerprint(&next)) {
            return Page::Astray;
        }
        self.next = Some(next);
        Page::More
    }

    /// A call failed. Returns whether to go on from the same token.
    pub(super) fn failed(&mut self) -> bool {
        self.failures += 1;
        self.failures < MOST_FAILURES
    }
}

fn fingerprint(token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}

/// The statuses that a listing asks for; none for all of them, which alone shows unknown ones (trap 13).
pub(super) fn statuses(listing: Listing) -> &'static [RequestStatus] {
    use RequestStatus::{CancelComplete, CancelInProgress, Failed, InProgress, Pending};
    match listing {
        Listing::Open => &[Pending, InProgress, CancelInProgress],
        Listing::News => &[Pending, InProgress, CancelInProgress, Failed, CancelComplete],
        Listing::Sweep => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens<const N: usize>(names: [&str; N]) -> [RequestToken; N] {
        names.map(RequestToken::new)
    }

    #[test]
    fn what_a_complete_listing_did_not_hold_is_missing() {
        let open = tokens(["a", "b", "c"]);
        let mut progress = Progress::begin(Listing::News, open.iter());
        assert_eq!(progress.page(tokens(["b"]).iter(), Some("2".into())), Page::More);
        assert_eq!(progress.next(), Some("2"));
        // An empty page is not the last one.
        assert_eq!(progress.page([].iter(), Some("3".into())), Page::More);
        assert_eq!(
            progress.page(tokens(["new"]).iter(), None),
            Page::Last(tokens(["a", "c"]).to_vec())
        );
    }

    #[test]
    fn a_listing_that_leads_in_a_circle_is_astray() {
        let mut progress = Progress::begin(Listing::Sweep, [].iter());
        assert_eq!(progress.page([].iter(), Some("2".into())), Page::More);
        assert_eq!(progress.page([].iter(), Some("3".into())), Page::More);
        assert_eq!(progress.page([].iter(), Some("2".into())), Page::Astray);
    }

    #[test]
    fn a_failure_in_the_middle_goes_on_from_the_same_page_a_few_times() {
        let mut progress = Progress::begin(Listing::Sweep, [].iter());
        progress.page([].iter(), Some("2".into()));
        assert!(progress.failed() && progress.failed());
        assert_eq!(progress.next(), Some("2"));
        assert!(!progress.failed());
    }
}
