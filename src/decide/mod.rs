//! Pure decisions: what a look means, when to look next and by which call, who is told, when and with what else, and
//! what a failed send is worth.
//!
//! No function here does I/O or asks for the time: `now`, and where chance is wanted a number from 0 to 1, are
//! arguments (`tests/house.rs` holds the room to that). Each can be tested by calling it, and the simulated days in
//! `tests/` replay exactly.

pub mod back_off;
pub mod backtest;
pub mod budget;
pub mod cadence;
pub mod diff;
pub mod flapping;
pub mod grouping;
pub mod incident;
pub mod merging;
pub mod mute;
pub mod outage;
pub mod plan;
pub mod retention;
pub mod retry;
pub mod route;
pub mod routing;
pub mod server_clock;
pub mod severity;
pub mod silence;
pub mod stuck;
pub mod timetable;

pub use diff::{Baseline, Difference, diff};
