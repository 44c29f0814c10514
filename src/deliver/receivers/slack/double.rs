//! What Slack documents that it refuses.

use serde_json::Value;

use crate::render::text::length;

/// What Slack documents that it refuses, and what would ping people.
pub(super) fn refusal(message: &Value) -> Option<String> {
    let mut total = 0;
    let mut check = |text: &Value, longest: usize| {
        let text = text.as_str().unwrap_or_default();
        total += length(text);
        let entities = ["&amp;", "&lt;", "&gt;"]
            .map(|entity| text.matches(entity).count())
            .iter()
            .sum::<usize>();
        // The one link, which is ccwatch's own.
        let is_link =
            text.starts_with("<https://") && text.ends_with("|AWS console>") && text.matches('<').count() == 1;
        let problem = match text {
            "" => "empty",
            _ if is_link => return None,
            _ if length(text) > longest => "too long",
            _ if text.contains(['<', '>']) || text.matches('&').count() != entities => "not escaped",
            _ => return None,
        };
        Some(format!("{problem}: {text}"))
    };
    let text_object = |text: &Value| match text["type"].as_str() {
        Some("plain_text") => text.get("verbatim").is_none(),
        Some("mrkdwn") => text["verbatim"] == true && text.get("emoji").is_none(),
        _ => false,
    };
    if let Some(problem) = check(&message["text"], 40_000) {
        return Some(problem);
    }
    let blocks = message["blocks"].as_array()?;
    if blocks.is_empty() || blocks.len() > 50 {
        return Some("number of blocks".into());
    }
    for block in blocks {
        let (texts, longest, most): (Vec<&Value>, _, _) = match block["type"].as_str() {
            Some("header") if block["text"]["type"] == "plain_text" => (vec![&block["text"]], 150, 1),
            Some("section") if block.get("text").is_some() => (vec![&block["text"]], 3000, 1),
            Some("section") => (block["fields"].as_array()?.iter().collect(), 2000, 10),
            Some("context") => (block["elements"].as_array()?.iter().collect(), 3000, 10),
            _ => return Some(format!("block {block}")),
        };
        if texts.is_empty() || texts.len() > most {
            return Some(format!("number of texts in {block}"));
        }
        for text in texts {
            if !text_object(text) {
                return Some(format!("text {text}"));
            }
            if let Some(problem) = check(&text["text"], longest) {
                return Some(problem);
            }
        }
    }
    (total > 13_200).then(|| format!("msg_blocks_too_long: {total}"))
}
