//! Completions and manual pages, held against the shells and the formatter that read them. What is not installed is skipped,
//! and says so; with `CCWATCH_SKIP_NOTHING` set, as `.ci/run` does, everything must be there.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ccwatch");

fn ccwatch(arguments: &[&str]) -> String {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn words(output: &Output) -> String {
    [output.stdout.as_slice(), output.stderr.as_slice()]
        .map(String::from_utf8_lossy)
        .concat()
}

/// What a program says; `None` if it is not installed, which must not be where everything is.
fn said<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .env("MANWIDTH", "100")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{program}: {}", words(&output));
            Some(words(&output))
        }
        Err(error) if error.kind() == ErrorKind::NotFound && std::env::var_os("CCWATCH_SKIP_NOTHING").is_none() => {
            eprintln!("skipped: {program} is not installed");
            None
        }
        Err(error) => panic!("{program} does not start: {error}"),
    }
}

/// What bash offers for the last of these words.
fn offered(line: &[&str]) -> Option<BTreeSet<String>> {
    let script = r#"
        source <("$1" completions bash)
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        spec=$(complete -p ccwatch)
        [[ $spec =~ -F\ ([^ ]+) ]]
        "${BASH_REMATCH[1]}" ccwatch "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut arguments = vec!["--norc", "-c", script, "bash", PROGRAM];
    arguments.extend(line);
    let offered = said("bash", &arguments)?;
    Some(offered.lines().map(str::to_owned).collect())
}

fn set<const COUNT: usize>(words: [&str; COUNT]) -> BTreeSet<String> {
    words.map(str::to_owned).into()
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    let Some(commands) = offered(&["ccwatch", ""]) else {
        return;
    };
    for command in commands_of(&[]) {
        assert!(commands.contains(&command), "{command}: {commands:?}");
    }
    assert_eq!(offered(&["ccwatch", "req"]).unwrap(), set(["requests"]));
    assert_eq!(
        offered(&["ccwatch", "requests", "--format", ""]).unwrap(),
        set(["csv", "json", "jsonl", "table"])
    );
    assert_eq!(offered(&["ccwatch", "requests", "--form"]).unwrap(), set(["--format"]));
    assert_eq!(offered(&["ccwatch", "notify", "prev"]).unwrap(), set(["preview"]));
    assert_eq!(
        offered(&["ccwatch", "completions", ""])
            .unwrap()
            .intersection(&set(["bash", "fish", "zsh"]))
            .count(),
        3
    );
}

#[test]
fn bash_completes_files() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.db");
    std::fs::write(&history, "").unwrap();
    let begin = folder.path().join("hist");
    for option in ["--history", "--config"] {
        let Some(files) = offered(&["ccwatch", "requests", option, begin.to_str().unwrap()]) else {
            return;
        };
        assert_eq!(files, set([history.to_str().unwrap()]), "{option}");
    }
}

#[test]
fn bash_completes_the_words_that_a_filter_knows_and_no_files_for_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("CREATE");
    std::fs::write(&file, "").unwrap();
    let begin = file.to_str().unwrap();
    let Some(operations) = offered(&["ccwatch", "requests", "--operation", ""]) else {
        return;
    };
    assert_eq!(operations, set(["CREATE", "DELETE", "UPDATE"]));
    assert_eq!(
        offered(&["ccwatch", "hooks", "--status", "HOOK_P"]).unwrap(),
        set(["HOOK_PENDING"])
    );
    assert_eq!(
        offered(&["ccwatch", "stats", "--error", "NotS"]).unwrap(),
        set(["NotStabilized"])
    );
    for option in ["--target", "--type", "--since", "--limit"] {
        let begin = &begin[..begin.len() - 1];
        assert_eq!(
            offered(&["ccwatch", "requests", option, begin]).unwrap(),
            set([begin]),
            "{option}: what was written stays"
        );
    }
    // The words are many: to list them is what completion is for.
    assert!(!ccwatch(&["requests", "--help"]).contains("HOOK_PENDING"));
}

#[test]
fn every_shell_can_read_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let path = folder.path().join(shell);
        std::fs::write(&path, ccwatch(&["completions", shell])).unwrap();
        if let Some(said) = said(shell, &[OsStr::new(check), path.as_os_str()]) {
            assert_eq!(said, "", "{shell}");
        }
    }
    for shell in ["elvish", "powershell"] {
        assert!(ccwatch(&["completions", shell]).contains("--history"), "{shell}");
    }
}

#[test]
fn the_help_says_how_to_put_completions_into_a_new_home() {
    let help = ccwatch(&["completions", "--help"]);
    for (shell, file) in [
        ("bash", ".local/share/bash-completion/completions/ccwatch"),
        ("zsh", ".zfunc/_ccwatch"),
        ("fish", ".config/fish/completions/ccwatch.fish"),
        ("elvish", ".config/elvish/lib/ccwatch.elv"),
    ] {
        let of_shell = help.split(&format!("\n  {shell} ")).nth(1).unwrap();
        let commands = of_shell.lines().map(str::trim).take(2).collect::<Vec<_>>().join("\n");
        assert!(commands.contains("\nccwatch completions"), "{commands}");
        let home = tempfile::tempdir().unwrap();
        let folder = Path::new(PROGRAM).parent().unwrap();
        let path = std::env::join_paths([folder, "/usr/bin".as_ref(), "/bin".as_ref()]).unwrap();
        let output = Command::new("sh")
            .args(["-ec", &commands])
            .env("HOME", home.path())
            .env("PATH", path)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{shell}: {}", words(&output));
        let written = std::fs::read_to_string(home.path().join(file)).unwrap();
        assert_eq!(written, ccwatch(&["completions", shell]));
    }
}

#[test]
fn an_unknown_shell_is_a_wrong_argument() {
    let output = Command::new(PROGRAM).args(["completions", "tcsh"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("powershell"), "{}", words(&output));
}

/// The names of the commands below one, from its help.
fn commands_of(command: &[&str]) -> Vec<String> {
    let help = ccwatch(&[command, &["--help"]].concat());
    let list = help.split("Commands:\n").nth(1).unwrap_or_default();
    let list = list.lines().take_while(|line| !line.is_empty());
    list.filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every page that there should be: of each command, and of those below it.
fn pages(command: &[&str], pages: &mut BTreeSet<String>) {
    pages.insert(format!("{}.1", [&["ccwatch"], command].concat().join("-")));
    for below in commands_of(command) {
        self::pages(&[command, &[below.as_str()]].concat(), pages);
    }
}

fn files(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn every_command_has_a_manual_page_without_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("share/man1");
    assert_eq!(ccwatch(&["man", "--output", output.to_str().unwrap()]), "");
    let mut expected = BTreeSet::new();
    pages(&[], &mut expected);
    assert!(expected.contains("ccwatch-notify-test.1"), "{expected:?}");
    assert_eq!(files(&output), expected);
    for page in expected {
        let path = output.join(&page);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.is_ascii(), "{page}: roff takes bytes for Latin-1");
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{page}");
        // groff says on standard error what it finds wrong, and is content otherwise.
        let arguments = ["-man", "-ww", "-Tutf8", "-z", path.to_str().unwrap()];
        if let Some(said) = said("groff", &arguments) {
            assert_eq!(said, "", "{page}");
        }
    }
}

/// The lines of a section of the page of a command.
fn section(folder: &Path, command: &str, heading: &str) -> String {
    let page = std::fs::read_to_string(folder.join(format!("{command}.1"))).unwrap();
    let page = page.replace('"', "");
    let section = page.split(&format!("\n.SH {heading}\n")).nth(1).unwrap_or_default();
    section.split("\n.SH ").next().unwrap_or_default().trim_end().to_owned()
}

#[test]
fn a_page_says_whose_it_is_and_has_its_sections() {
    let folder = tempfile::tempdir().unwrap();
    ccwatch(&["man", "--output", folder.path().to_str().unwrap()]);
    let section = |command, heading| section(folder.path(), command, heading);

    let backup = std::fs::read_to_string(folder.path().join("ccwatch-history-backup.1")).unwrap();
    let title = format!(
        ".TH ccwatch-history-backup 1 \"\" \"ccwatch {}\"",
        env!("CARGO_PKG_VERSION")
    );
    assert!(backup.contains(&title), "{backup}");
    assert!(!backup.contains(".SH EXTRA"), "{backup}");

    assert_eq!(
        section("ccwatch-wait", "EXAMPLES").lines().nth(1),
        Some("ccwatch wait 73553e7d"),
        "each in its line"
    );
    let examples = section("ccwatch-silence-add", "EXAMPLES");
    assert!(
        examples.starts_with(".nf\n") && examples.ends_with("\n.fi"),
        "{examples}"
    );
    assert!(examples.contains("\n    \\-\\-from"), "{examples}");
    assert!(section("ccwatch-silence-add", "NOTES").starts_with("A matcher is"));
    assert!(section("ccwatch-completions", "NOTES").contains(".nf\nbash  "));

    // The codes of all commands, and in their order those that a command has for itself.
    let codes = |command| -> Vec<String> {
        let section = section(command, "EXIT STATUS");
        let codes = section.lines().filter_map(|line| line.strip_prefix("\\fB"));
        codes.map(|line| line.trim_end_matches("\\fR").to_owned()).collect()
    };
    assert_eq!(codes("ccwatch"), ["0", "1", "2", "78", "130", "143"]);
    assert_eq!(codes("ccwatch-gaps"), codes("ccwatch"));
    let of_wait = ["0", "1", "2", "3", "4", "78", "124", "130", "143"];
    assert_eq!(codes("ccwatch-wait"), of_wait);
    assert!(section("ccwatch-wait", "EXIT STATUS").contains("every request ended as SUCCESS"));

    let variable = ".TP\n\\fBCCWATCH_HISTORY\\fR\nstands for \\-\\-history where";
    for command in ["ccwatch", "ccwatch-requests", "ccwatch-history-backup"] {
        let environment = section(command, "ENVIRONMENT");
        assert!(environment.contains(variable), "{command}: {environment}");
    }
    assert!(!section("ccwatch-simulate", "ENVIRONMENT").contains("CCWATCH_HISTORY"));
    assert!(section("ccwatch", "ENVIRONMENT").contains("CCWATCH_SIMULATOR_SECRET"));
    assert!(section("ccwatch", "FILES").contains("/etc/ccwatch/ccwatch.toml"));

    assert_eq!(section("ccwatch-gaps", "SEE ALSO"), "\\fBccwatch\\fR(1)");
    let beside = section("ccwatch-notify-list", "SEE ALSO");
    assert!(
        beside.starts_with("\\fBccwatch\\fR(1), \\fBccwatch\\-notify\\fR(1), "),
        "{beside}"
    );
    assert!(
        beside.contains("ccwatch\\-notify\\-retry") && !beside.contains("notify\\-list"),
        "{beside}"
    );
}

#[test]
fn examples_are_shown_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    ccwatch(&["man", "--output", folder.path().to_str().unwrap()]);
    let page = folder.path().join("ccwatch-requests.1");
    let arguments = ["-man", "-Tutf8", "-P-cbou", "-rLL=80n", page.to_str().unwrap()];
    let Some(shown) = said("groff", &arguments) else {
        return;
    };
    assert!(
        shown
            .lines()
            .any(|line| line.trim() == "ccwatch requests --failed --type 'AWS::RDS::*' --since 2d"),
        "{shown}"
    );
}

#[test]
fn the_main_page_comes_on_standard_output_and_is_one_of_those_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    ccwatch(&["man", "--output", folder.path().to_str().unwrap()]);
    let page = ccwatch(&["man"]);
    assert_eq!(page, std::fs::read_to_string(folder.path().join("ccwatch.1")).unwrap());
    assert!(page.contains("ccwatch\\-requests(1)"), "{page}");
}

#[test]
fn a_folder_that_can_not_be_made_is_said_plainly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = Command::new(PROGRAM)
        .args(["man", "--output"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        words(&output).contains("can't write manual pages into"),
        "{}",
        words(&output)
    );
}
