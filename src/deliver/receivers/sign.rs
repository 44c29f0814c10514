//! The sign of a tone.

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
