//! Asks a registry again when that may help: after what passes by itself, with growing pauses, as long as it says to wait.

use crate::clock::random;
use crate::oci::OciError;
use crate::providers::ListError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Tries for one page.
const TRIES: u32 = 5;
/// The first pause; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(200);
/// The first pause when the registry wants to be asked less often, and doesn't say when.
const WAIT: u64 = 2;
/// Longest wait within a pass, in seconds; a longer one ends it.
const LONGEST: u64 = 60;

/// Why no answer came.
#[derive(Debug)]
pub(super) enum GaveUp {
    /// It can't list.
    CannotList(String),
    /// For so many seconds nobody may ask.
    Wait(u64),
    /// As often as tried.
    Failed(OciError),
    /// Told to stop.
    Stopped,
}

/// Asks until there is an answer or no hope.
pub(super) async fn ask<T, A: Future<Output = Result<T, ListError>>>(
    stop: &CancellationToken,
    mut question: impl FnMut() -> A,
) -> Result<T, GaveUp> {
    let mut tries = 0;
    loop {
        let outcome = tokio::select! {
            () = stop.cancelled() => return Err(GaveUp::Stopped),
            outcome = question() => outcome,
        };
        tries += 1;
        let error = match outcome {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let wait = match &error {
            ListError::Wait(seconds) => Some(*seconds),
            ListError::Failed(OciError::RateLimited { seconds, .. }) => Some(seconds.unwrap_or(WAIT << (tries - 1))),
            _ => None,
        };
        let pause = match (error, wait) {
            (_, Some(seconds)) if seconds > LONGEST || tries == TRIES => return Err(GaveUp::Wait(seconds)),
            (_, Some(seconds)) => Duration::from_secs(seconds) + jitter(PAUSE),
            (ListError::CannotList(why), None) => return Err(GaveUp::CannotList(why)),
            (ListError::Failed(error), None) if tries == TRIES || !is_passing(&error) => {
                return Err(GaveUp::Failed(error));
            }
            _ => jitter(PAUSE * 2_u32.pow(tries - 1)),
        };
        tokio::select! {
            () = stop.cancelled() => return Err(GaveUp::Stopped),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Between half and one and a half of it.
fn jitter(pause: Duration) -> Duration {
    pause / 2 + pause * u32::from(random::<1>()[0]) / 255
}

/// Whether it may be better in a moment.
pub(super) fn is_passing(error: &OciError) -> bool {
    match error {
        OciError::Timeout { .. } | OciError::Refused { .. } | OciError::Dns { .. } | OciError::RateLimited { .. } => {
            true
        }
        OciError::Unexpected { answer, .. } => {
            let status = answer.get(..3).unwrap_or_default();
            matches!(status, "408" | "429" | "499" | "500" | "502" | "503" | "504" | "522")
                || answer.starts_with("the connection broke")
        }
        _ => false,
    }
}

/// Whether the registry knows who asks, and says no.
pub(super) fn is_refusal(error: &OciError) -> bool {
    matches!(
        error,
        OciError::WrongCredentials { .. }
            | OciError::Denied { .. }
            | OciError::SignIn { .. }
            | OciError::ForeignRealm { .. }
    )
}
