//! Codes: the values of RFC 6238, replay, guessing, and any order of steps.
#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use totp_rs::Builder;

use super::*;

const SECRET: &[u8] = b"12345678901234567890";

fn code(step: u64) -> String {
    Builder::new().with_secret(SECRET).build().unwrap().generate(step * STEP).to_string()
}

/// The middle of a step, in milliseconds.
fn at(step: u64) -> i64 {
    i64::try_from(step * STEP + 15).unwrap() * 1000
}

#[test]
fn codes_are_those_of_the_standard() {
    // RFC 6238, appendix B, the last six digits
    for (seconds, wanted) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
    ] {
        let mut codes = Codes::default();
        assert_eq!(codes.check(SECRET, wanted, seconds * 1000), Checked::Right, "{seconds}");
        assert_eq!(codes.check(SECRET, wanted, seconds * 1000), Checked::Used);
    }
}

#[test]
fn a_code_counts_once_and_no_older_one_after_it() {
    let mut codes = Codes::default();
    assert_eq!(codes.check(SECRET, &code(1000), at(1000)), Checked::Right);
    assert_eq!(codes.check(SECRET, &code(1000), at(1000)), Checked::Used);
    assert_eq!(codes.check(SECRET, &code(1001), at(1000)), Checked::Right);
    // the first one again, and one before it, both still within what clocks may differ
    assert_eq!(codes.check(SECRET, &code(1000), at(1001)), Checked::Used);
    assert_eq!(codes.check(SECRET, &code(1001), at(1001)), Checked::Used);
    assert_eq!(codes.check(SECRET, &code(1002), at(1001)), Checked::Right);
    // too old and too new are just wrong
    assert_eq!(codes.check(SECRET, &code(1008), at(1010)), Checked::Wrong);
    assert_eq!(codes.check(SECRET, &code(1012), at(1010)), Checked::Wrong);
}

#[test]
fn guessing_is_locked_out() {
    let mut codes = Codes::default();
    let wrong = ["", "1", "abcdef", "1234567", "123456"];
    for guess in &wrong[..4] {
        assert_eq!(codes.check(SECRET, guess, at(1000)), Checked::Wrong, "{guess:?}");
    }
    let Checked::Locks { until } = codes.check(SECRET, wrong[4], at(1000)) else { panic!("not locked") };
    assert_eq!(until - at(1000), 15 * 60 * 1000);
    // not even the right one is looked at
    assert_eq!(codes.check(SECRET, &code(1000), at(1000)), Checked::Locked { until });
    assert_eq!(codes.check(SECRET, &code(1029), until - 1), Checked::Locked { until });
    let later = u64::try_from(until / 1000).unwrap() / STEP;
    assert_eq!(codes.check(SECRET, &code(later), until), Checked::Right);
    // a thousand guesses in five minutes: five are looked at
    let mut codes = Codes::default();
    let looked = (0..1000)
        .filter(|n| !matches!(codes.check(SECRET, &format!("{n:06}"), at(1000) + n * 300), Checked::Locked { .. }));
    assert_eq!(looked.count(), 5);
    // slow ones are never locked out: four in five minutes
    let mut codes = Codes::default();
    assert!((0..100).all(|n| codes.check(SECRET, "1", at(1000) + n * 76_000) == Checked::Wrong));
}

proptest! {
    /// Whatever comes in whatever order: each step is accepted once at most, and in order.
    #[test]
    fn each_step_is_accepted_once_at_most(tries in prop::collection::vec((0_u64..12, 0_u64..12), 1..200)) {
        let mut codes = Codes::default();
        let mut accepted = Vec::new();
        let mut clock = 0;
        for (of, forward) in tries {
            // time goes on, and now and then stands still
            clock += forward / 8;
            let step = 1000 + clock + of.saturating_sub(6);
            if codes.check(SECRET, &code(step), at(1000 + clock)) == Checked::Right {
                accepted.push(step);
            }
        }
        prop_assert!(accepted.windows(2).all(|pair| pair[0] < pair[1]), "{accepted:?}");
    }
}
