//! Words laid out as one text from top to bottom, as plain text or as HTML: for tools without a layout of their own.
//!
//! Both say the same, in the same order: what happened, why, what it means, the facts, where to look further. All text in
//! the HTML is escaped; its tags are those that Matrix allows, which every mail program knows as well, and nothing in it
//! is fetched from elsewhere.

use super::message::{Tone, Words};
use super::text::cut_escaped;

/// The title with the sign of its tone.
pub fn headline(words: &Words) -> String {
    format!("{} {}", Tone::mark(words.tone), words.title)
}

/// All of it.
pub fn plain(words: &Words) -> String {
    let below = below_title(words);
    let link = words
        .link
        .as_ref()
        .map(|link| format!("{}: {}", link.label, link.url))
        .unwrap_or_default();
    paragraphs(&[&headline(words), &below, &link])
}

/// All but the title and the link, for tools that have a place of their own for these.
pub fn below_title(words: &Words) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let items: Vec<String> = words.items.iter().map(|item| format!("• {item}")).collect();
    let facts: Vec<String> = words
        .facts
        .iter()
        .map(|fact| format!("{}: {}", fact.label, fact.value))
        .collect();
    paragraphs(&[
        &text(&words.body),
        &text(&words.reason),
        &items.join("\n"),
        &text(&words.meaning),
        &facts.join("\n"),
    ])
}

fn paragraphs(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.trim().is_empty()).collect();
    parts.join("\n\n")
}

/// All of it, as what stands within a `<body>`.
pub fn html(words: &Words) -> String {
    let mut html = format!("<p><strong>{}</strong></p>", escape(&headline(words)));
    let mut add = |before: &str, text: &str, after: &str| {
        if !text.is_empty() {
            html.extend([before, text, after]);
        }
    };
    if let Some(body) = &words.body {
        let lines: Vec<String> = body.lines().map(escape).collect();
        add("<p>", &lines.join("<br/>"), "</p>");
    }
    let reason = words.reason.as_deref().map(escape);
    add("<blockquote>", &reason.unwrap_or_default(), "</blockquote>");
    let items = words.items.iter().map(|item| format!("<li>{}</li>", escape(item)));
    add("<ul>", &items.collect::<String>(), "</ul>");
    let meaning = words.meaning.as_deref().map(escape);
    add("<p>", &meaning.unwrap_or_default(), "</p>");
    let facts = words.facts.iter().map(|fact| {
        let (label, value) = (escape(fact.label), escape(&fact.value));
        format!("<tr><th align=\"left\">{label}</th><td><code>{value}</code></td></tr>")
    });
    add("<table>", &facts.collect::<String>(), "</table>");
    if let Some(link) = &words.link
        && link.url.starts_with("https://")
    {
        let (url, label) = (escape(&link.url), escape(link.label));
        add("<p>", &format!("<a href=\"{url}\">{label}</a>"), "</p>");
    }
    html
}

/// Text for between tags, or for within an attribute's quotes.
pub fn escape(text: &str) -> String {
    cut_escaped(text, usize::MAX, escaped)
}

/// What a character of HTML must be replaced with.
fn escaped(character: char) -> Option<&'static str> {
    Some(match character {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&#39;",
        _ => return None,
    })
}

/// How many bytes a character takes in HTML. A line break takes a tag.
pub fn html_bytes(character: char) -> usize {
    if character == '\n' {
        return "<br/>".len();
    }
    escaped(character).map_or(character.len_utf8(), str::len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::News;
    use crate::render::samples::{digest, failed_hook, hostile};
    use crate::render::{Link, Message};

    fn words(announcement: crate::model::Announcement) -> Words {
        Message::new(&News::Change(Box::new(announcement))).words
    }

    #[test]
    fn a_hook_from_top_to_bottom() {
        let mut words = words(failed_hook("WARN"));
        words.link = Some(Link {
            label: "AWS console",
            url: "https://example.com/?a=1&b=\"".into(),
        });
        insta::assert_snapshot!(format!("{}\n--\n{}", plain(&words), html(&words).replace("><", ">\n<")));
    }

    #[test]
    fn a_digest_names_its_worst_and_a_body_keeps_its_lines() {
        let news = News::Digest(Box::new(digest()));
        let mut words = Message::new(&news).words;
        assert!(plain(&words).contains("\n• CREATE AWS::S3::Bucket failed: AlreadyExists"));
        assert!(html(&words).contains("<ul><li>CREATE AWS::S3::Bucket failed: AlreadyExists"));
        words.body = Some("one\n<two>".into());
        assert!(html(&words).contains("<p>one<br/>&lt;two&gt;</p>"));
    }

    #[test]
    fn only_https_is_linked() {
        let mut words = words(failed_hook("WARN"));
        words.link = Some(Link {
            label: "x",
            url: "javascript:alert(1)".into(),
        });
        assert!(!html(&words).contains("href"));
    }

    /// What stands between tags, or `None` where it is no sequence of the tags used here and escaped text.
    fn texts(html: &str) -> Option<Vec<&str>> {
        const TAGS: [&str; 11] = [
            "p",
            "strong",
            "blockquote",
            "ul",
            "li",
            "table",
            "tr",
            "td",
            "code",
            "br/",
            "th align=\"left\"",
        ];
        let mut texts = Vec::new();
        for part in html.split('<').skip(1) {
            let (tag, text) = part.split_once('>')?;
            if !TAGS.contains(&tag.strip_prefix('/').unwrap_or(tag)) && tag != "/th" {
                return None;
            }
            if text.contains(['"', '\'', '>']) {
                return None;
            }
            texts.push(text);
        }
        Some(texts)
    }

    proptest! {
        #[test]
        fn no_text_breaks_out(text in "(<|>|&|\"|'|</p>|<a href=|a|€|😀|\n){0,40}") {
            let mut words = words(hostile(&text));
            words.body = Some(text.clone());
            let html = html(&words);
            prop_assert!(texts(&html).is_some(), "{}", html);
            let with_breaks = escape(&text).replace('\n', "<br/>");
            prop_assert_eq!(with_breaks.len(), text.chars().map(html_bytes).sum::<usize>());
        }
    }
}
