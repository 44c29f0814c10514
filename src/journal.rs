//! Whether someone reads us by the system's journal, which has a time for each line itself.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

/// Whether journald reads what is written to `stream`.
///
/// systemd names the socket that it gave to a service in `$JOURNAL_STREAM`. Whoever is started by that service inherits the
/// variable, but not always the socket, so the two are compared.
/// <https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#%24JOURNAL_STREAM>
pub(crate) fn reads(stream: &impl AsFd) -> bool {
    let Some(named) = std::env::var_os("JOURNAL_STREAM") else {
        return false;
    };
    let metadata = stream.as_fd().try_clone_to_owned().map(File::from);
    let metadata = metadata.and_then(|stream| stream.metadata());
    metadata.is_ok_and(|metadata| is_named(&named, metadata.dev(), metadata.ino()))
}

fn is_named(named: &OsStr, device: u64, inode: u64) -> bool {
    named == OsStr::new(&format!("{device}:{inode}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_its_device_and_inode() {
        assert!(is_named(OsStr::new("9:35042"), 9, 35042));
        for other in ["9:35043", "8:35042", "9", "", ":", "9:35042 "] {
            assert!(!is_named(OsStr::new(other), 9, 35042), "{other:?}");
        }
    }
}
