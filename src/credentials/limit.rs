//! How often an account may have credentials tested, so that the form is no port scanner: ten in a row, then one every
//! six seconds.

use crate::clock::Clock;
use app::error::AppError;
use app::model::id::AccountId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const IN_A_ROW: i64 = 10;
const ONE_EVERY: i64 = 6_000;

#[derive(Debug)]
pub(super) struct TestLimit {
    clock: Clock,
    /// Per account, when its allowance is full again, in Unix milliseconds.
    full_at: Mutex<HashMap<AccountId, i64>>,
}

impl TestLimit {
    pub fn new(clock: Clock) -> Self {
        Self { clock, full_at: Mutex::default() }
    }

    /// Takes one test from the account's allowance, or says how long to wait.
    pub fn take(&self, account: &AccountId) -> Result<(), AppError> {
        let now = self.clock.millis();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        full_at.retain(|_, at| *at > now);
        let next = full_at.get(account).copied().unwrap_or(now) + ONE_EVERY;
        let over = next - now - IN_A_ROW * ONE_EVERY;
        if over > 0 {
            let seconds = u64::try_from(over).unwrap_or_default().div_ceil(1_000);
            return Err(AppError::Wait {
                seconds,
                reason: format!("Too many tests of credentials in a short time. Try again in {seconds} s."),
            });
        }
        full_at.insert(account.clone(), next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn ten_in_a_row_then_one_every_six_seconds() {
        let clock = Clock::system();
        let limit = TestLimit::new(clock.clone());
        let account = AccountId::from_random([1; 8]);
        for _ in 0..IN_A_ROW {
            assert_eq!(limit.take(&account), Ok(()));
        }
        assert!(matches!(limit.take(&account), Err(AppError::Wait { seconds: 1..=6, .. })));
        assert_eq!(limit.take(&AccountId::from_random([2; 8])), Ok(()), "another account waits too");
        clock.advance(Duration::from_secs(6));
        assert_eq!(limit.take(&account), Ok(()));
        assert!(matches!(limit.take(&account), Err(AppError::Wait { .. })));
        clock.advance(Duration::from_secs(120));
        for _ in 0..IN_A_ROW {
            assert_eq!(limit.take(&account), Ok(()));
        }
        assert!(limit.take(&account).is_err());
    }
}
