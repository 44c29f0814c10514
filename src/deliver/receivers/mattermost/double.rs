//! What Mattermost refuses, and what it would show as more than text.

use serde_json::Value;

/// A message (`text` of a webhook, `message` of a post) with its attachments.
pub(super) fn refusal(message: &Value, attachments: &Value) -> Option<String> {
    let message = message.as_str().unwrap_or_default();
    if message.trim().is_empty() || message.chars().count() > 16_383 {
        return Some(format!("message_length: {message}"));
    }
    let none = Vec::new();
    let texts = attachments.as_array()?.iter().flat_map(|attachment| {
        let fields = attachment["fields"].as_array().unwrap_or(&none);
        let values = fields.iter().filter_map(|field| field["value"].as_str());
        values.chain(attachment["text"].as_str())
    });
    let total: usize = texts.clone().chain([message]).map(|text| text.chars().count()).sum();
    if total > 16_383 {
        return Some(format!("{total} characters"));
    }
    texts.chain([message]).find_map(|text| {
        let text_of_the_server = unescaped(text);
        let mentions = text_of_the_server.match_indices('@').any(|(at, _)| {
            let after = text_of_the_server[at + 1..].chars().next();
            after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        });
        let links = text.contains("://") || text_of_the_server.to_ascii_lowercase().contains("www.");
        let formats = bare(text).contains(['<', '`', '*', '[', ']', '(', ')', '#', '_', '~', '|', '>']);
        (mentions || links || formats).then(|| format!("not escaped: {text}"))
    })
}

/// As the server looks for mentions: without backslashes.
fn unescaped(text: &str) -> String {
    let mut unescaped = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => unescaped.extend(characters.next()),
            c => unescaped.push(c),
        }
    }
    unescaped
}

/// Without what is escaped.
fn bare(text: &str) -> String {
    let mut bare = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            c => bare.push(c),
        }
    }
    bare
}
