//! Named points where a test breaks the process off or holds it, by environment. Only with the `testing` feature; a release
//! has nothing of it.
//!
//! Points: `<job kind>.claimed`, `<job kind>.<step>.before`, `<job kind>.<step>.done` (the work succeeded, nothing of that is
//! written yet), `<job kind>.<step>.after` (it is written).
//! - `SLIPWAY_ABORT_AT=<point>`: the process aborts there. With `SLIPWAY_ABORT_ONCE=<file>` it first makes that file, and
//!   doesn't abort when the file exists.
//! - `SLIPWAY_HOLD_AT=<point>`: waits there as long as the file `SLIPWAY_HOLD_FILE` exists, or until the job is cancelled.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(super) async fn reach(point: &str, cancel: &CancellationToken) {
    if is(point, "SLIPWAY_ABORT_AT") {
        let first = match std::env::var_os("SLIPWAY_ABORT_ONCE") {
            Some(marker) => std::fs::OpenOptions::new().write(true).create_new(true).open(marker).is_ok(),
            None => true,
        };
        if first {
            std::process::abort();
        }
    }
    if is(point, "SLIPWAY_HOLD_AT")
        && let Some(file) = std::env::var_os("SLIPWAY_HOLD_FILE")
    {
        while std::path::Path::new(&file).exists() && !cancel.is_cancelled() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn is(point: &str, variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|wanted| wanted == point)
}
