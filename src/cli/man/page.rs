//! A manual page, made of what defines the command line, in the sections of man-pages(7).
//!
//! What holds for every command is written once, with the root: each page has its exit codes, as far as the command gives them
//! no meaning of its own; for files and the like it leads to the root's page.

use std::collections::{BTreeMap, BTreeSet};

use clap::Command;
use clap::builder::Resettable;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::remarks::{self, List, Remark};

/// The user commands'.
const SECTION: &str = "1";
/// An argument of the title that says nothing. An empty one would be left out, and the next one taken for it.
const NOTHING: &str = "\"\"";

pub(super) struct Page {
    /// Such as `ccwatch-history-backup.1`.
    pub(super) file: String,
    /// In roff.
    pub(super) text: Vec<u8>,
}

/// A command, and those that it is below, the root first. All of them are built.
pub(super) struct Place<'c> {
    command: &'c Command,
    above: Vec<&'c Command>,
}

impl<'c> Place<'c> {
    pub(super) fn root(command: &'c Command) -> Self {
        let above = Vec::new();
        Self { command, above }
    }

    /// The pages of the command, and of all that are below it.
    pub(super) fn pages(&self) -> std::io::Result<Vec<Page>> {
        let mut pages = vec![self.page()?];
        for command in below(self.command) {
            let above = [self.above.as_slice(), &[self.command]].concat();
            pages.extend(Place { command, above }.pages()?);
        }
        Ok(pages)
    }

    pub(super) fn page(&self) -> std::io::Result<Page> {
        let command = self.command;
        let root = self.above.first().copied().unwrap_or(command);
        // The version is at the foot of the page, and what follows the options in --help gets sections of its own.
        let bare = command.clone().version(Resettable::Reset).after_help(Resettable::Reset);
        let version = root.get_version().unwrap_or_default();
        let man = Man::new(bare)
            .section(SECTION)
            .date(NOTHING)
            .source(format!("{} {version}", root.get_name()))
            .manual(NOTHING);
        let mut text = Vec::new();
        man.render(&mut text)?;
        let rest = self.rest(root).render();
        // What every document begins with is there already.
        let rest = rest.strip_prefix(&Roff::new().render()).unwrap_or(&rest);
        text.extend_from_slice(rest.as_bytes());
        Ok(Page {
            file: format!("{}.{SECTION}", name(command)),
            text: in_ascii(&String::from_utf8_lossy(&text)).into_bytes(),
        })
    }

    /// The sections that clap_mangen does not make.
    fn rest(&self, root: &Command) -> Roff {
        let remarks = remarks_of(self.command);
        let of_root = remarks_of(root);
        let mut roff = Roff::new();
        // Paths and names of commands are neither hyphenated nor stretched.
        roff.control("nh", []).control("ad", ["l"]);
        entries(&mut roff, "EXIT STATUS", exit_codes(&of_root, &remarks));
        let mut variables: Vec<_> = variables(self.command, self.above.is_empty()).into_iter().collect();
        variables.extend(listed(&remarks, "Environment").flat_map(List::entries).map(owned));
        entries(&mut roff, "ENVIRONMENT", variables);
        entries(
            &mut roff,
            "FILES",
            listed(&remarks, "Files").flat_map(List::entries).map(owned),
        );
        notes(&mut roff, &remarks);
        for list in listed(&remarks, "Examples") {
            roff.control("SH", ["EXAMPLES"]);
            as_it_stands(&mut roff, &list.lines);
        }
        self.see_also(&mut roff);
        roff
    }

    /// What is above it, and beside it, unless that is everything.
    fn see_also(&self, roff: &mut Roff) {
        let Some(parent) = self.above.last() else { return };
        let beside =
            below(parent).filter(|beside| self.above.len() > 1 && beside.get_name() != self.command.get_name());
        let mut line = Vec::new();
        for other in self.above.iter().copied().chain(beside) {
            if !line.is_empty() {
                line.push(roman(", "));
            }
            line.extend([bold(name(other)), roman(format!("({SECTION})"))]);
        }
        roff.control("SH", ["SEE ALSO"]).text(line);
    }
}

/// Text in roff, with the number of each character that is not ASCII: roff takes its bytes for Latin-1.
fn in_ascii(text: &str) -> String {
    let numbered = |c: char| format!("\\[u{:04X}]", u32::from(c));
    let parts = text
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { numbered(c) });
    parts.collect()
}

/// The commands below one that are shown.
fn below(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn remarks_of(command: &Command) -> Vec<Remark> {
    let text = command.get_after_help().map(ToString::to_string);
    remarks::read(&text.unwrap_or_default())
}

/// The lists under a heading.
fn listed<'r>(remarks: &'r [Remark], heading: &str) -> impl Iterator<Item = &'r List> {
    remarks.iter().filter_map(move |remark| match remark {
        Remark::List(list) if list.heading == heading => Some(list),
        _ => None,
    })
}

fn owned((term, meaning): (&str, &str)) -> (String, String) {
    (term.to_owned(), meaning.to_owned())
}

/// The command's own, and those of the root to which it gives no other meaning.
fn exit_codes(of_root: &[Remark], own: &[Remark]) -> Vec<(String, String)> {
    let all = [of_root, own]
        .into_iter()
        .flat_map(|remarks| listed(remarks, "Exit codes"));
    // By their length first, since they are numbers.
    let codes: BTreeMap<_, _> = all
        .flat_map(List::entries)
        .map(|(code, meaning)| ((code.len(), code), meaning))
        .collect();
    codes
        .into_iter()
        .map(|((_, code), meaning)| owned((code, meaning)))
        .collect()
}

/// The variables that stand for options of the command, and of those below it if that is wanted.
fn variables(command: &Command, with_those_below: bool) -> BTreeMap<String, String> {
    fn gather<'c>(command: &'c Command, with_those_below: bool, all: &mut BTreeMap<String, BTreeSet<&'c str>>) {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            if let (Some(variable), Some(option)) = (argument.get_env(), argument.get_long()) {
                let options = all.entry(variable.to_string_lossy().into_owned()).or_default();
                options.insert(option);
            }
        }
        if with_those_below {
            below(command).for_each(|command| gather(command, true, all));
        }
    }
    let mut all = BTreeMap::new();
    gather(command, with_those_below, &mut all);
    let meaning = |options: BTreeSet<&str>| {
        let options: Vec<_> = options.into_iter().map(|option| format!("--{option}")).collect();
        format!("stands for {} where that is not given", options.join(" or "))
    };
    all.into_iter()
        .map(|(variable, options)| (variable, meaning(options)))
        .collect()
}

/// A section of words with their meanings, if there are any.
fn entries(roff: &mut Roff, heading: &str, entries: impl IntoIterator<Item = (String, String)>) {
    let mut entries = entries.into_iter().peekable();
    if entries.peek().is_some() {
        roff.control("SH", [heading]);
    }
    for (word, meaning) in entries {
        roff.control("TP", []).text([bold(word)]).text([roman(meaning)]);
    }
}

/// What has no section of its own.
fn notes(roff: &mut Roff, remarks: &[Remark]) {
    const ELSEWHERE: [&str; 4] = ["Examples", "Exit codes", "Environment", "Files"];
    let here = |remark: &&Remark| match remark {
        Remark::List(list) => !ELSEWHERE.contains(&list.heading.as_str()),
        Remark::Prose(_) => true,
    };
    for (number, remark) in remarks.iter().filter(here).enumerate() {
        if number == 0 {
            roff.control("SH", ["NOTES"]);
        } else {
            roff.control("PP", []);
        }
        match remark {
            Remark::Prose(paragraph) => {
                roff.text([roman(paragraph)]);
            }
            Remark::List(list) => {
                roff.text([roman(format!("{}:", list.heading))]).control("PP", []);
                as_it_stands(roff, &list.lines);
            }
        }
    }
}

/// Lines that are neither joined nor stretched.
fn as_it_stands(roff: &mut Roff, lines: &[String]) {
    roff.control("nf", []);
    for line in lines {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}
