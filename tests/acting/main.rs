//! `ccwatch create`, `update`, `delete`, `cancel` and `wait`, against a real `ccwatch simulate`, beside a real `ccwatch run`
//! and without one.
#![allow(clippy::unwrap_used, clippy::panic)]

mod beginning;
mod following;
mod interrupting;
mod stage;
