//! Inner failures → what people read. The one table of plain-language errors.

use crate::storage::{Trouble, trouble};
use app::error::{AppError, Problem, STORAGE_FULL, STORAGE_UNWRITABLE};
use app::paths;
use std::error::Error;

/// Our own fault: the chain goes into the log under a ticket, the page shows the ticket alone. A disk that is full is nobody's
/// fault, and says so.
pub fn internal(error: &(dyn Error + 'static)) -> AppError {
    if let Some(trouble) = trouble(error) {
        tracing::warn!(error = %chain(error), "the data folder can't be written to");
        return of_disk(trouble).into();
    }
    let ticket = crate::clock::random_hex::<4>();
    tracing::error!(ticket, error = %chain(error), "a request failed for a reason of our own");
    AppError::Internal { ticket }
}

/// What people read while the data folder takes nothing.
fn of_disk(trouble: Trouble) -> Problem {
    match trouble {
        Trouble::Full => Problem::new(
            STORAGE_FULL,
            "The disk with Slipway's data folder is full, so this couldn't be kept. Nothing that was kept before is lost.",
            "Make room on that disk, then send it again. Slipway gives back a small reserve within seconds, so a second try \
             may work already.",
        ),
        Trouble::Unwritable => Problem::new(
            STORAGE_UNWRITABLE,
            "The disk with Slipway's data folder takes no writes: it is read-only or broken. Nothing that was kept before is lost.",
            "Look into the machine's log (dmesg), put the disk right, then send it again.",
        ),
    }
    .with_link(paths::OVERVIEW, "See the room on disks")
}

/// The error and all its causes in one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

/// `?` on inner failures in use cases: `.map_err(problems::of)?`.
pub fn of<E: Error + 'static>(error: E) -> AppError {
    internal(&error)
}
