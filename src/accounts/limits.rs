//! Slows guessing down: token buckets in memory, asked before a password is hashed.
//!
//! An attempt takes one token from the account's bucket and one from the address's; success gives them back. A browser
//! that signed in to the account before has a bucket of its own, so that strangers can't lock the owner out.

use crate::http::session::hash_id;
use app::error::AppError;
use app::model::id::AccountId;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// How a bucket fills.
#[derive(Clone, Copy, Debug)]
struct Rate {
    /// Attempts without waiting.
    burst: f64,
    /// Milliseconds until one more.
    every: f64,
}

/// Five at once, then ten a minute.
const ACCOUNT: Rate = Rate { burst: 5.0, every: 6_000.0 };
/// Several people may share an address.
const ADDRESS: Rate = Rate { burst: 20.0, every: 3_000.0 };
/// Buckets and counters kept at most; the fullest go first.
const CAPACITY: usize = 20_000;
const RECORD_EVERY_MILLIS: i64 = 60_000;

/// What is counted. Names are hashed, so that a long one takes no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Name([u8; 32]),
    Device([u8; 32]),
    Address(IpAddr),
    SetUp(IpAddr),
    Token(IpAddr),
}

impl Key {
    fn rate(self) -> Rate {
        match self {
            Self::Name(_) | Self::Device(_) => ACCOUNT,
            Self::Address(_) | Self::SetUp(_) | Self::Token(_) => ADDRESS,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u64,
    recorded_at: Option<i64>,
}

/// Tokens that were taken, to be given back after success.
#[derive(Debug)]
pub struct Taken(Vec<Key>);

/// The buckets.
#[derive(Debug, Default)]
pub struct Limits {
    buckets: Mutex<HashMap<Key, Bucket>>,
    failures: Mutex<HashMap<[u8; 32], Failures>>,
}

/// An IPv6 customer owns at least a /64: its addresses count as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        },
        v4 => v4,
    }
}

impl Limits {
    /// Before a sign-in. `device` is the hash of the browser's token, if it signed in to this account before.
    pub fn take_sign_in(
        &self,
        name: &str,
        address: IpAddr,
        device: Option<[u8; 32]>,
        now: i64,
    ) -> Result<Taken, AppError> {
        match device {
            Some(device) => self.take(&[Key::Device(device)], now),
            None => self.take(&[Key::Name(hash_id(name)), Key::Address(network(address))], now),
        }
    }

    /// Before the current password is checked in a session.
    pub fn take_own(&self, account: &AccountId, now: i64) -> Result<Taken, AppError> {
        self.take(&[Key::Device(hash_id(account.as_str()))], now)
    }

    /// Before a set-up token is checked.
    pub fn take_setup(&self, address: IpAddr, now: i64) -> Result<Taken, AppError> {
        self.take(&[Key::SetUp(network(address))], now)
    }

    /// After a token that was refused; good ones take nothing.
    pub fn take_token(&self, address: IpAddr, now: i64) -> Result<(), AppError> {
        self.take(&[Key::Token(network(address))], now).map(drop)
    }

    /// After a set-up that worked.
    pub fn give_back_setup(&self, address: IpAddr) {
        self.give_back(&Taken(vec![Key::SetUp(network(address))]));
    }

    fn take(&self, keys: &[Key], now: i64) -> Result<Taken, AppError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > CAPACITY {
            make_room(&mut buckets, now);
        }
        let level = |buckets: &HashMap<Key, Bucket>, key: Key| {
            let rate = key.rate();
            buckets.get(&key).map_or(rate.burst, |bucket| filled(*bucket, rate, now))
        };
        // All or nothing: an address that has to wait doesn't use up an account's tokens.
        let wait =
            keys.iter().map(|key| ((1.0 - level(&buckets, *key)) * key.rate().every).max(0.0)).fold(0.0, f64::max);
        if wait > 0.0 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the rates above")]
            let seconds = ((wait / 1_000.0).ceil() as u64).max(1);
            let unit = if seconds == 1 { "second" } else { "seconds" };
            let reason = format!("Too many attempts. Wait {seconds} {unit}, then try again.");
            return Err(AppError::Wait { seconds, reason });
        }
        for key in keys {
            let tokens = level(&buckets, *key) - 1.0;
            buckets.insert(*key, Bucket { tokens, at: now });
        }
        Ok(Taken(keys.to_vec()))
    }

    /// After an attempt that worked.
    pub fn give_back(&self, taken: &Taken) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &taken.0 {
            if let Some(bucket) = buckets.get_mut(key) {
                bucket.tokens = (bucket.tokens + 1.0).min(key.rate().burst);
            }
        }
    }

    /// Counts a failed sign-in. Some(n): a minute has passed since the last entry, note n failures now.
    pub fn failures_to_record(&self, name: &str, now: i64) -> Option<u64> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() > CAPACITY {
            failures.retain(|_, entry| entry.recorded_at.is_some_and(|at| now - at < RECORD_EVERY_MILLIS));
        }
        // Names out of the blue share one entry once the room is used up: the record must not be a way to fill the disk.
        let key = if failures.len() > CAPACITY { [0; 32] } else { hash_id(name) };
        let entry = failures.entry(key).or_default();
        entry.count += 1;
        if entry.recorded_at.is_some_and(|at| now - at < RECORD_EVERY_MILLIS) {
            return None;
        }
        entry.recorded_at = Some(now);
        Some(std::mem::take(&mut entry.count))
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since the last look fit")]
fn filled(bucket: Bucket, rate: Rate, now: i64) -> f64 {
    (bucket.tokens + (now - bucket.at).max(0) as f64 / rate.every).min(rate.burst)
}

/// Forgets full buckets, which mean nothing; if there are none, the fuller half.
fn make_room(buckets: &mut HashMap<Key, Bucket>, now: i64) {
    buckets.retain(|key, bucket| filled(*bucket, key.rate(), now) < key.rate().burst);
    if buckets.len() > CAPACITY {
        let mut levels: Vec<f64> =
            buckets.iter().map(|(key, bucket)| filled(*bucket, key.rate(), now) / key.rate().burst).collect();
        levels.sort_by(f64::total_cmp);
        let middle = levels[levels.len() / 2];
        buckets.retain(|key, bucket| filled(*bucket, key.rate(), now) / key.rate().burst < middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u16) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::new(10, 1, last.to_be_bytes()[0], last.to_be_bytes()[1]))
    }

    #[test]
    fn a3_a_thousand_guesses_from_a_thousand_addresses_reach_the_hash_fifteen_times_a_minute() {
        let limits = Limits::default();
        let hashed = (0..1_000_u16)
            .filter(|n| limits.take_sign_in("owner", address(*n), None, i64::from(*n) * 60).is_ok())
            .count();
        assert!(hashed <= 5 + 10, "{hashed}");
        let device = Some([1; 32]);
        assert!(limits.take_sign_in("owner", address(0), device, 60_000).is_ok(), "the owner's browser gets in");
        let wait = limits.take_sign_in("owner", address(0), None, 60_000).expect_err("strangers wait");
        assert!(matches!(wait, AppError::Wait { seconds: 1..=6, .. }), "{wait:?}");
    }

    #[test]
    fn a3_one_address_that_tries_many_names_waits_and_leaves_the_names_alone() {
        let limits = Limits::default();
        let tried = (0..1_000).filter(|n| limits.take_sign_in(&format!("n{n}"), address(1), None, 0).is_ok()).count();
        assert_eq!(tried, 20);
        assert!(limits.take_sign_in("n999", address(2), None, 0).is_ok());
    }

    #[test]
    fn success_gives_back_and_failures_are_noted_once_a_minute() {
        let limits = Limits::default();
        for _ in 0..100 {
            let taken = limits.take_sign_in("owner", address(1), None, 0).expect("never waits");
            limits.give_back(&taken);
        }
        let noted: Vec<u64> = (0..1_000).filter_map(|n| limits.failures_to_record("owner", n * 100)).collect();
        assert_eq!(noted, [1, 600]);
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        assert_eq!(
            network("2001:db8::1".parse().expect("an address")),
            network("2001:db8::ffff".parse().expect("an address"))
        );
        assert_eq!(
            network("::ffff:10.0.0.1".parse().expect("an address")),
            address(0).to_string().replace("10.1.0.0", "10.0.0.1").parse::<IpAddr>().expect("an address")
        );
    }
}
