//! The sign and the colour of a tone.

use crate::render::Tone;

/// Stands in front of a title.
pub(super) fn sign(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✅",
        Tone::Bad => "❌",
        Tone::Warning => "⚠️",
        Tone::Neutral => "🔹",
    }
}

/// Red, green and blue, eight bits each.
pub(super) fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Good => 0x2E_A0_43,
        Tone::Bad => 0xDA_36_33,
        Tone::Warning => 0xD2_99_22,
        Tone::Neutral => 0x38_8B_FD,
    }
}
