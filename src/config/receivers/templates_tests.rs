//! The examples of `docs/templates.md` make what stands below them.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::config::{Config, Environment};
use crate::model::News;
use crate::render::{Message, Renderer, samples};

const DOCUMENTATION: &str = include_str!("../../../docs/templates.md");

/// The code blocks, each with its language.
fn blocks() -> Vec<(&'static str, &'static str)> {
    DOCUMENTATION
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.split_once('\n'))
        .collect()
}

fn message(receiver: &str, news: &News) -> Message<'static> {
    let text = format!("[[targets]]\nname = \"dev\"\nregions = [\"eu-west-1\"]\n\n{receiver}");
    let environment: Environment = [("HOME", "/h")].into_iter().collect();
    let config =
        Config::parse(&text, Path::new("/etc/ccwatch.toml"), &environment).unwrap_or_else(|errors| panic!("{errors}"));
    let news = Box::leak(Box::new(news.clone()));
    let rendered = Renderer::new(config.receivers[0].templates.clone())
        .message(news)
        .unwrap();
    assert!(rendered.failures.is_empty());
    rendered.message
}

#[test]
fn the_documentations_examples_make_what_they_say() {
    let news = News::Change(Box::new(samples::failed_request()));
    let blocks = blocks();
    let examples: Vec<_> = blocks.chunks_exact(2).collect();
    assert_eq!((examples.len(), blocks.len()), (3, 6));
    for example in examples {
        let [("toml", receiver), (language, expected)] = example else {
            panic!("an example is toml and what it makes: {example:?}");
        };
        let Message { words, payload, .. } = message(receiver, &news);
        let made = payload.unwrap_or_else(|| format!("{}\n{}", words.title, words.body.unwrap_or_default()));
        if *language == "json" {
            let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(json(&made), json(expected));
        } else {
            assert_eq!(made.trim_end(), expected.trim_end());
        }
    }
}

#[test]
fn the_documentation_lists_every_name() {
    // The error of a wrong name has the right ones.
    let listed = |template: &str| {
        let error = Template::new(Part::Payload, template).unwrap_err().to_string();
        let (_, names) = error.split_once("; there are ").unwrap();
        names.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    let names = [listed("{{ nope }}"), listed("{{ words.nope }}")].concat();
    assert_eq!(names.len(), 20 + 10, "{names:?}");
    for name in names {
        assert!(DOCUMENTATION.contains(&format!("`{name}`")), "{name}");
    }
}
