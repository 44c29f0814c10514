//! Counts as a line of blocks.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A block for each count, the highest count the full one. The lowest block is for nothing at all: one of a thousand is
/// seen.
pub fn sparkline(counts: &[u64]) -> String {
    let highest = counts.iter().copied().max().unwrap_or(0).max(1);
    let steps = BLOCKS.len() as u64 - 1;
    let block = |count: &u64| {
        let step = u128::from(*count) * u128::from(steps);
        let level = step.div_ceil(u128::from(highest));
        BLOCKS[usize::try_from(level).unwrap_or(0).min(BLOCKS.len() - 1)]
    };
    counts.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_block_is_nothing_and_the_full_one_the_most() {
        assert_eq!(sparkline(&[0, 1, 2, 3, 4, 5, 6, 7]), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[0, 1, 1000]), "▁▂█");
        assert_eq!(sparkline(&[5, 5]), "██");
        assert_eq!(sparkline(&[0, 0]), "▁▁");
        assert_eq!(sparkline(&[u64::MAX, 0]), "█▁");
        assert_eq!(sparkline(&[]), "");
    }
}
