//! The id of a line: eight letters and digits for the number of the row that opened it. Neighbours look nothing alike, so
//! a slip of the finger finds no other line of the same minute. Deliberately absent: secrecy; an id proves nothing.

/// No I, L, O, U: ids are read aloud and copied by hand.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Eight letters of five bits.
const MASK: u64 = (1 << 40) - 1;

/// Odd, so that multiplying by it modulo 2^40 can be taken back; the golden ratio, so that neighbours fall far apart.
const SPREAD: u64 = 0x9E_3779_B97F;
const BACK: u64 = inverse(SPREAD);

/// The id of the line that row `seq` opened.
pub(super) fn of(seq: i64) -> String {
    let bits = seq.cast_unsigned().wrapping_mul(SPREAD) & MASK;
    (0..8).rev().map(|place| char::from(LETTERS[(bits >> (place * 5) & 31) as usize])).collect()
}

/// The row that opened the line with this id. Small letters will do, and O, I, L for the digits they look like.
pub(super) fn seq(id: &str) -> Option<i64> {
    if id.len() != 8 {
        return None;
    }
    let bits = id.bytes().try_fold(0, |bits, letter| {
        let letter = match letter.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            letter => letter,
        };
        let five = LETTERS.iter().position(|known| *known == letter)?;
        Some(bits << 5 | five as u64)
    })?;
    Some((bits.wrapping_mul(BACK) & MASK).cast_signed())
}

/// Newton's step doubles the bits that are right; an odd number is its own inverse modulo 8.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_id_leads_back_to_its_row() {
        for seq in (1..100_000).chain([1 << 20, (1 << 40) - 1]) {
            let id = super::of(seq);
            assert_eq!((id.len(), super::seq(&id)), (8, Some(seq)));
            assert_eq!(super::seq(&id.to_lowercase().replace('0', "o").replace('1', "l")), Some(seq));
        }
        for wrong in ["", "1234567", "123456789", "ABCDEFGU", "ÄÄÄÄ", "ABC EFGH"] {
            assert_eq!(super::seq(wrong), None);
        }
    }
}
