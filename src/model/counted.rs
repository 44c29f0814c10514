//! A number and its noun.

/// `1 change`, `2 changes`, `2 deliveries`.
pub fn counted(count: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == 1 => format!("1 {noun}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_all_else_is_many() {
        for (count, noun, words) in [
            (0, "change", "0 changes"),
            (1, "change", "1 change"),
            (2, "change", "2 changes"),
            (1, "delivery", "1 delivery"),
            (12, "delivery", "12 deliveries"),
            (2, "day", "2 days"),
        ] {
            assert_eq!(counted(count, noun), words);
        }
    }
}
