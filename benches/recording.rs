#![allow(clippy::unwrap_used, reason = "a measurement that fails should fail loudly")]
//! What recording a batch of a hundred sightings costs, the sync to the disk included.
//!
//! How near that is to what SQLite itself needs for the same rows, `recording_against_insert` tells.

#[path = "batches/mod.rs"]
mod batches;

use std::cell::Cell;

use batches::{BATCH, Scene, Stage};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// What a look shows of the requests of a batch, after what was recorded of them before.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// They are new.
    New,
    /// They were running, and have ended.
    Ended,
    /// They still run.
    OpenAgain,
    /// They had ended: nothing is to be written.
    EndedAgain,
}

#[divan::bench(args = [Look::New, Look::Ended, Look::OpenAgain, Look::EndedAgain], sample_count = 200, sample_size = 1)]
fn record(bencher: Bencher<'_, '_>, look: Look) {
    let (before, stage) = match look {
        Look::New => (None, Stage::Running),
        Look::Ended => (Some(Stage::Running), Stage::Ended),
        Look::OpenAgain => (Some(Stage::Running), Stage::Running),
        Look::EndedAgain => (Some(Stage::Ended), Stage::Ended),
    };
    let scene = Scene::new();
    let number = Cell::new(0);
    let batch = || {
        number.set(number.get() + 1);
        if let Some(before) = before {
            scene.record(&scene.batch(number.get(), 0, before));
        }
        scene.batch(number.get(), 10, stage)
    };
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(batch)
        .bench_local_values(|batch| black_box(scene.record(&batch)));
}
