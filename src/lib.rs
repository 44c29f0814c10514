//! ccwatch watches AWS Cloud Control requests and the CloudFormation Hooks that guard them: it polls, remembers in SQLite
//! what AWS forgets after seven days, and tells people when something changes status.
//!
//! This is the map. Data flows one way:
//!
//! ```text
//!  Cloud Control ──▶ watch ──Sighting──▶ history ──(one transaction)──▶ Change + Delivery rows ──bell──▶ deliver ──▶ chat
//!                     ▲  when to look next: RetryAfter                        │
//!                     └──── agenda                                            └──▶ cli: read-only
//! ```
//!
//! | room | what lives there | what it may not touch |
//! |---|---|---|
//! | [`model`] | the field's words | any I/O, any other room |
//! | [`decide`] | pure decisions: what is news, when to look again and how, who is told, what a failed send is worth | any I/O, clocks |
//! | [`clock`] | the one place that asks for the time | |
//! | `journal` | whether systemd's journal reads a stream | |
//! | [`statistics`] | rows → numbers: counts, shares, percentiles, trends | any I/O, clocks |
//! | [`render`] | news → words for people; templates; the report's page | any I/O |
//! | [`config`] | TOML → a validated configuration, or all that is wrong with it | the network |
//! | [`cloud`] | the AWS SDK | history, deliver |
//! | [`watch`] | one poller a target, its agenda and its budget | SQL, HTTP to chat |
//! | [`history`] | SQLite | the network |
//! | [`deliver`] | outbox → send → outcome; a file for each receiver | the poller, SQL |
//! | [`daemon`] | joins watch, history and deliver; signals, systemd, the order of the end | |
//! | [`simulator`] | a Cloud Control endpoint for tests and the demo | history, deliver |
//! | [`cli`] | a file for each subcommand | polling |
//!
//! Arrows point down only: `main → cli → daemon → {watch, history, deliver} → {cloud, decide, config, render} → model`. watch,
//! history and deliver do not know each other; `daemon` joins them. `statistics` stands beside `decide`, for history, render
//! and cli. `tests/house.rs` holds the sources to this.
//!
//! # What is promised
//!
//! 1. The same sighting twice changes nothing; the order of pages, duplicates and mixtures of List and Get do not alter
//!    how a request ends ([`decide::diff`](mod@decide::diff)).
//! 2. A final status is never left, and EventTime is never used to order.
//! 3. What is remembered and what is to be told are committed together ([`history`]). Nothing in memory moves ahead of
//!    the commit.
//! 4. A delivery is marked sent only after the receiver accepted it: at least once, with an id that stays over retries,
//!    and in order for one request and receiver ([`deliver`]).
//! 5. No GetResourceRequestStatus before RetryAfter, on the server's clock ([`decide::server_clock`]); never a hot loop.
//! 6. The first sweep of a new target is a baseline: what had already finished is remembered, and no one is told.
//! 7. A time in which a target was not or could not be looked at is itself remembered: a gap.
//! 8. Secrets reach no log, no error, no history.

pub mod cli;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod daemon;
pub mod decide;
pub mod deliver;
pub mod history;
mod journal;
pub mod model;
pub mod render;
pub mod simulator;
pub mod statistics;
pub mod watch;

/// The examples of the documentation are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/simulator.md")]
struct SimulatorExamples;
