//! The last day of a certificate. Pure.
//!
//! Reads just enough of its structure (RFC 5280, section 4.1) to find the second of the two dates; whether the certificate
//! is to be believed is TLS's business alone.

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// `2027-03-31`, by the certificate's own word.
pub(super) fn last_day(certificate: &[u8]) -> Option<String> {
    let (certificate, _) = open(certificate, SEQUENCE)?;
    let (mut rest, _) = open(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = open(rest, VERSION)?.1;
    }
    // Serial number, algorithm, issuer; then the two dates.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        rest = open(rest, tag)?.1;
    }
    let (dates, _) = open(rest, SEQUENCE)?;
    let (_, _, dates) = element(dates)?;
    let (tag, date, _) = element(dates)?;
    let date = std::str::from_utf8(date).ok().filter(|date| date.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = date.split_at_checked(2)?;
            // RFC 5280, section 4.1.2.5.1.
            (format!("{}{year}", if year < "50" { "20" } else { "19" }), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = date.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    Some(format!("{year}-{}-{}", rest.get(0..2)?, rest.get(2..4)?))
}

/// The contents of the first element, which has this tag, and what comes after it.
fn open(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, contents, rest) = element(bytes)?;
    (found == tag).then_some((contents, rest))
}

/// Tag, contents and rest.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, bytes) = bytes.split_first()?;
    let (first, mut bytes) = bytes.split_first()?;
    let length = match first {
        0..=0x7f => usize::from(*first),
        0x81..=0x84 => {
            let (digits, rest) = bytes.split_at_checked(usize::from(first - 0x80))?;
            bytes = rest;
            digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
        }
        _ => return None,
    };
    let (contents, rest) = bytes.split_at_checked(length)?;
    Some((*tag, contents, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate without anything that isn't looked at.
    fn certificate(version: bool, dates: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, contents: &[u8]| [&[tag, u8::try_from(contents.len()).expect("short")], contents].concat();
        let version = if version { wrap(VERSION, &wrap(INTEGER, &[2])) } else { Vec::new() };
        let parts = [
            version,
            wrap(INTEGER, &[1]),
            wrap(SEQUENCE, &[]),
            wrap(SEQUENCE, &[]),
            wrap(SEQUENCE, dates),
            wrap(SEQUENCE, &[]),
        ];
        wrap(SEQUENCE, &wrap(SEQUENCE, &parts.concat()))
    }

    #[test]
    fn the_second_date_is_found_in_both_forms() {
        let utc = b"\x17\x0d261124000000Z\x17\x0d270331235959Z";
        assert_eq!(last_day(&certificate(true, utc)).as_deref(), Some("2027-03-31"));
        assert_eq!(last_day(&certificate(false, utc)).as_deref(), Some("2027-03-31"));
        let old = b"\x17\x0d261124000000Z\x17\x0d991231235959Z";
        assert_eq!(last_day(&certificate(true, old)).as_deref(), Some("1999-12-31"));
        let long = b"\x17\x0d261124000000Z\x18\x0f21261031065115Z";
        assert_eq!(last_day(&certificate(true, long)).as_deref(), Some("2126-10-31"));
        assert_eq!(last_day(&certificate(true, b"\x17\x0d261124000000Z\x17\x01\xff")), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_stumble(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60), cut in 0_usize..60) {
            let _ = last_day(&bytes);
            let whole = certificate(true, b"\x17\x0d261124000000Z\x17\x0d270331235959Z");
            let _ = last_day(&whole[..cut.min(whole.len())]);
        }
    }
}
