//! Secret values: given in the file, or by reference to a place that fewer people can read.
//!
//! `"text"`, `{ env = "NAME" }`, `{ file = "PATH" }` or `{ credential = "NAME" }`. They are read once, with the
//! configuration, so that what is missing is found at start and not with the first message. No error shows a value: it
//! names the variable or the file.
//!
//! For who sends nothing (a preview, a backtest) a placeholder stands in for what can't be read: it looks like what is
//! expected there, so that its reader takes it, and leads to no one.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::document::Item;
use super::problems::{Read, Reported};
use super::wording::quoted;
use super::{Secrets, Surroundings};

const EXPECTED: &str = "a string, { env = \"NAME\" }, { file = \"PATH\" } or { credential = \"NAME\" }";
const KEYS: [&str; 3] = ["env", "file", "credential"];
/// Far more than a URL or a signing key has. What is larger is another file than was meant.
const LARGEST: u64 = 64 * 1024;

/// A secret, with what a message may say of it.
pub(super) struct Secret<'d> {
    pub(super) value: SecretString,
    item: Item<'d>,
    /// Where it was found: `the value of $NAME`.
    origin: String,
}

impl Secret<'_> {
    /// Reports what is wrong with the value, as in `is not a URL`.
    pub(super) fn error(&self, fault: &str) -> Reported {
        self.item.error(format!("{} {fault}", self.origin))
    }

    pub(super) fn warning(&self, fault: &str) {
        self.item.warning(format!("{} {fault}", self.origin));
    }
}

/// Reads a secret value, without the line end that files and shells leave behind it.
pub(super) fn secret<'d>(item: &Item<'d>, surroundings: &Surroundings<'_>) -> Read<Secret<'d>> {
    secret_like(item, "placeholder", surroundings)
}

/// The same, for what must look like `placeholder`.
pub(super) fn secret_like<'d>(item: &Item<'d>, placeholder: &str, surroundings: &Surroundings<'_>) -> Read<Secret<'d>> {
    let (origin, content) = if let Some(text) = item.inner().as_str() {
        ("the value".to_owned(), text.to_owned())
    } else {
        referred(item, placeholder, surroundings)?
    };
    let value = content.trim_end_matches(['\r', '\n']);
    let secret = Secret {
        value: SecretString::from(value),
        item: item.clone(),
        origin,
    };
    if value.is_empty() {
        return Err(secret.error("is empty"));
    }
    // Neither a URL nor a key has them, and in a header they would do harm.
    if value.chars().any(char::is_control) {
        return Err(secret.error("holds a line break or another control character"));
    }
    Ok(secret)
}

/// The content of what is referred to, with what to call it.
fn referred(item: &Item<'_>, placeholder: &str, surroundings: &Surroundings<'_>) -> Read<(String, String)> {
    let section = item.section(EXPECTED)?;
    section.refuse_unknown(&KEYS, " of a secret value")?;
    let references: Vec<_> = KEYS
        .iter()
        .filter_map(|key| section.get(key).map(|item| (*key, item)))
        .collect();
    let [(key, reference)] = references.as_slice() else {
        let count = if references.is_empty() { "none" } else { "more than one" };
        return Err(item.error(format!("expected {EXPECTED}, found {count} of these keys")));
    };
    let name = reference.string("a string")?;
    if name.is_empty() || name.contains('\0') {
        return Err(reference.error(format!("expected a name, found {}", quoted(name))));
    }
    let content = match *key {
        "env" => from_variable(name, surroundings).map(|content| (format!("the value of ${name}"), content)),
        "file" => from_file(&surroundings.folder.join(name)),
        _ => from_credential(reference, name, surroundings)?,
    };
    let placeholder = || ("the placeholder".to_owned(), placeholder.to_owned());
    match (content, surroundings.secrets) {
        (Ok(content), _) => Ok(content),
        (Err(_), Secrets::IfAtHand) if *key == "credential" && given_by_systemd(surroundings).is_none() => {
            reference.note(format!(
                "the credential {} can't be looked at here: systemd gives it to the service alone",
                quoted(name)
            ));
            Ok(placeholder())
        }
        (Err(fault), Secrets::Needed | Secrets::IfAtHand) => Err(reference.error(fault)),
        (Err(fault), Secrets::Dispensable) => {
            reference.warning(format!("{fault}; a placeholder stands in for it"));
            Ok(placeholder())
        }
    }
}

fn from_variable(name: &str, surroundings: &Surroundings<'_>) -> Result<String, String> {
    let value = surroundings.environment.get(name).ok_or_else(|| {
        format!(
            "the environment variable {} is not set; a service takes a secret best by {{ credential = \"NAME\" }} and \
             LoadCredential=NAME:PATH in a drop-in (systemctl edit ccwatch)",
            quoted(name)
        )
    })?;
    value
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("the environment variable {} does not hold UTF-8 text", quoted(name)))
}

/// What systemd has from the unit's `LoadCredential=` and its kin. <https://systemd.io/CREDENTIALS/>
fn from_credential(
    reference: &Item<'_>,
    name: &str,
    surroundings: &Surroundings<'_>,
) -> Read<Result<(String, String), String>> {
    if name.contains('/') || name == "." || name == ".." {
        return Err(reference.error(format!(
            "expected a credential's name, without slashes, found {}; for a path, use {{ file = … }}",
            quoted(name)
        )));
    }
    let remedy = "give it to the service by LoadCredential=NAME:PATH in a drop-in (systemctl edit ccwatch)";
    Ok(match given_by_systemd(surroundings) {
        Some(folder) => from_file(&folder.join(name)).map_err(|fault| format!("{fault}; {remedy}")),
        None => Err(format!(
            "the credential {} can't be read, as $CREDENTIALS_DIRECTORY is not set: {remedy}",
            quoted(name)
        )),
    })
}

/// Where systemd put the service's credentials. `None` where it gave none: this is not the service.
fn given_by_systemd(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    surroundings.environment.folder("CREDENTIALS_DIRECTORY")
}

fn from_file(path: &Path) -> Result<(String, String), String> {
    let content = read(path, LARGEST).map_err(|fault| format!("{}: {fault}", path.display()))?;
    Ok((format!("the content of {}", path.display()), content))
}

/// A text file's content, or what is wrong with the file.
pub(super) fn read(path: &Path, largest: u64) -> Result<String, String> {
    // Before it is opened: opening a named pipe that no one writes to would wait for ever.
    if path
        .metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
    {
        return Err("is not a regular file".to_owned());
    }
    read_from(File::open(path).map_err(|error| why_unread(&error))?, largest)
}

/// The text that a file or pipe holds, or what is wrong with it.
pub(super) fn read_from(source: impl io::Read, largest: u64) -> Result<String, String> {
    let mut content = Vec::new();
    let mut source = source.take(largest + 1);
    source.read_to_end(&mut content).map_err(|error| why_unread(&error))?;
    if content.len() as u64 > largest {
        return Err(format!("is larger than {} KiB", largest / 1024));
    }
    String::from_utf8(content).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("is not UTF-8 text: byte {} is not", at + 1)
    })
}

fn why_unread(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory, expected a file".to_owned(),
        _ => format!("can't be read: {error}"),
    }
}

/// A key as Standard Webhooks has it: `whsec_` and the base64 of 24 to 64 bytes.
/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
pub(super) fn signing_key(item: &Item<'_>, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let secret = secret_like(item, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", surroundings)?;
    let Some(key) = secret.value.expose_secret().strip_prefix("whsec_") else {
        return Err(secret.error("does not begin with whsec_, as a Standard Webhooks key does"));
    };
    match STANDARD.decode(key).map(|bytes| bytes.len()) {
        Ok(24..=64) => Ok(secret.value),
        Ok(length) => Err(secret.error(&format!(
            "is a key of {length} bytes, expected whsec_ and the base64 of 24 to 64 bytes"
        ))),
        // The decoder's message would show a byte of the secret.
        Err(_) => Err(secret.error("is not whsec_ and standard, padded base64")),
    }
}
