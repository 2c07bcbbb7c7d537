//! What a running build tells that is kept: cached steps, warnings.

use super::progress::Status;
use app::model::build_record::BuildRecord;

/// Gathers it.
#[derive(Debug, Default)]
pub(super) struct Observed {}

impl Observed {
    /// A piece of progress.
    pub(super) fn take(&mut self, status: &Status) {
        let _ = status;
    }

    /// What was seen.
    pub(super) fn record(self) -> BuildRecord {
        BuildRecord::default()
    }
}
