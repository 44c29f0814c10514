//! Whether requests on a resource go from success to failure and back, and again.

/// How often the requests of a resource turned from success to failure or back. `ends`: whether each of them succeeded,
/// the oldest first; those that ended in neither way (a cancel, a lost token) are left out by whoever asks.
///
/// [`Announcement::FLAPPING`](crate::model::Announcement::FLAPPING) turns are called flapping.
pub fn turns(ends: impl IntoIterator<Item = bool>) -> u32 {
    let mut last = None;
    let mut turns: u32 = 0;
    for success in ends {
        if last.replace(success).is_some_and(|last| last != success) {
            turns = turns.saturating_add(1);
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_from_one_to_the_other_is_a_turn() {
        for (ends, expected) in [
            ("", 0),
            ("s", 0),
            ("f", 0),
            ("sssss", 0),
            ("ffsss", 1),
            ("sf", 1),
            ("ssffss", 2),
            ("sfsf", 3),
        ] {
            assert_eq!(turns(ends.chars().map(|end| end == 's')), expected, "{ends}");
        }
    }
}
