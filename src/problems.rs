//! Inner failures → what people read. The one table of plain-language errors.

use app::error::AppError;
use std::error::Error;

/// Our own fault: the chain goes into the log under a ticket, the page shows the ticket alone.
pub fn internal(error: &(dyn Error + 'static)) -> AppError {
    let ticket = crate::clock::random_hex::<4>();
    tracing::error!(ticket, error = %chain(error), "a request failed for a reason of our own");
    AppError::Internal { ticket }
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
