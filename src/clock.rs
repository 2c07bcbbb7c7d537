//! Time and randomness, passed in, so that tests never sleep.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Says what time it is.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds that a test put on top.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// Unix milliseconds.
    pub fn millis(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
        let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        i64::try_from(now).unwrap_or(i64::MAX).saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// Unix seconds.
    pub fn seconds(&self) -> i64 {
        self.millis().div_euclid(1_000)
    }

    /// Moves time forward, for tests.
    pub fn advance(&self, by: std::time::Duration) {
        self.ahead.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

/// Random bytes from the operating system.
///
/// # Panics
/// When the operating system has none, in which case nothing here may go on.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "without randomness neither ids nor secrets are safe")]
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// `N` random bytes as hex digits.
pub fn random_hex<const N: usize>() -> String {
    app::model::text::hex(&random::<N>())
}

/// 256 random bits as 64 hex digits.
pub fn random_token() -> String {
    random_hex::<32>()
}
