//! Words as Mattermost shows them: the title as the message, which is what notifications and the search see, and the rest as
//! an attachment, coloured by its tone.
//!
//! - **Inside the limit**: 16,383 characters are the most that a server's database takes for a message. All texts together
//!   stay below that, though the attachment does not count.
//! - **Nothing pings, formats or links.** Markdown is escaped by backslashes. That does not stop a mention, which the server
//!   looks for in the unescaped text: behind each `@` stands a zero width space. `<` and `&` are entities, since the
//!   server turns Slack's `<!channel>` into `@channel`; an address is broken too. Rejected: the property
//!   `mentionHighlightDisabled`, which keeps a mention from being seen and not from notifying.
//!
//! <https://developers.mattermost.com/integrate/reference/message-attachments/>,
//! <https://docs.mattermost.com/end-user-guide/collaborate/format-messages.html>,
//! <https://github.com/mattermost/mattermost/blob/master/server/channels/app/notification.go>

use serde_json::{Value, json};

use crate::deliver::receiver::Measure;
use crate::deliver::receivers::colour::colour;
use crate::deliver::receivers::detail::detail;
use crate::deliver::receivers::unlinked::unlinked;
use crate::render::Words;
use crate::render::text::{cut_escaped, length};

const TITLE: usize = 500;
const TEXT: usize = 8000;
const FACT: usize = 500;
const MEANING: usize = 1000;

/// The message's text.
pub(super) fn text(words: &Words) -> String {
    escape(&format!("{} {}", words.tone.mark(), words.title), TITLE)
}

/// What stands below it.
pub(super) fn attachments(words: &Words) -> Value {
    let mut attachment = json!({"color": format!("#{:06x}", colour(words.tone))});
    let mut text = vec![escape(&detail(words), TEXT)];
    if words.body.is_none() {
        text.extend(words.meaning.as_ref().map(|meaning| escape(meaning, MEANING)));
        let facts = words.facts.iter().take(10);
        attachment["fields"] = facts
            .map(|fact| json!({"title": fact.label, "value": escape(&fact.value, FACT), "short": true}))
            .collect();
    }
    text.retain(|text| !text.trim().is_empty());
    attachment["text"] = text.join("\n\n").into();
    if let Some(link) = &words.link {
        attachment["title"] = link.label.into();
        attachment["title_link"] = link.url.as_str().into();
    }
    json!([attachment])
}

/// What of the words is limited.
pub(super) fn measures(words: &Words) -> Vec<Measure> {
    let measure = |part, text: &str, limit| Measure {
        part,
        size: length(&escape(text, usize::MAX)),
        limit,
        unit: "characters",
    };
    let title = format!("{} {}", words.tone.mark(), words.title);
    vec![measure("message", &title, TITLE), measure("text", &detail(words), TEXT)]
}

fn escape(text: &str, longest: usize) -> String {
    cut_escaped(&unlinked(text), longest, |c| {
        Some(match c {
            '@' => "@\u{200b}",
            '<' => "&lt;",
            '&' => "&amp;",
            '\\' => "\\\\",
            '`' => "\\`",
            '*' => "\\*",
            '{' => "\\{",
            '}' => "\\}",
            '[' => "\\[",
            ']' => "\\]",
            '(' => "\\(",
            ')' => "\\)",
            '#' => "\\#",
            '+' => "\\+",
            '-' => "\\-",
            '.' => "\\.",
            '!' => "\\!",
            '_' => "\\_",
            '>' => "\\>",
            '~' => "\\~",
            '|' => "\\|",
            _ => return None,
        })
    })
}

#[cfg(test)]
#[path = "post_tests.rs"]
mod tests;
