//! What the kernel knows of who has an SQLite file open: the locks of other processes.
//!
//! Asked on a descriptor that is closed afterwards, so only where this process has no connection to the file
//! ([`open`](super::open)). A program that has no log there, and neither reads nor writes at this moment, has no lock.

use std::fs::File;
use std::io;

use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

/// Where the bytes begin that SQLite locks, and which one whoever writes by way of a rollback journal has locked from before
/// the journal's first byte until after its last.
/// <https://www.sqlite.org/lockingv3.html#writing>
const PENDING_BYTE: u64 = 0x4000_0000;
const RESERVED_BYTE: u64 = PENDING_BYTE + 1;

/// Those two, and the shared ones, of which readers lock one, and those that have a write-ahead log open all.
const BYTES: u64 = 2 + 510;

/// Whether another process has a transaction under way that writes to the file by way of a rollback journal.
pub(super) fn is_journaled(file: &File) -> io::Result<bool> {
    is_locked(file, RESERVED_BYTE, 1)
}

/// Whether another process reads the file, writes to it, or has its write-ahead log open.
pub(super) fn is_in_use(file: &File) -> io::Result<bool> {
    is_locked(file, PENDING_BYTE, BYTES)
}

fn is_locked(file: &File, start: u64, length: u64) -> io::Result<bool> {
    let wish = Flock {
        start,
        length,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    Ok(fcntl_getlk(file, &wish)?.is_some())
}
