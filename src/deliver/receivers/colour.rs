//! The colour of a tone.

use crate::render::Tone;

/// Red, green and blue, eight bits each.
pub(super) fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Good => 0x2E_A0_43,
        Tone::Bad => 0xDA_36_33,
        Tone::Warning => 0xD2_99_22,
        Tone::Neutral => 0x38_8B_FD,
    }
}
